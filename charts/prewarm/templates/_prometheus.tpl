{{/* How the operator reaches Prometheus: variables that name the mounted files, and the Secrets that are mounted. */}}
{{- define "prewarm.prometheusFolder" -}}
/etc/prewarm/prometheus
{{- end -}}

{{- define "prewarm.prometheusEnv" -}}
{{- $auth := .Values.prometheus.auth -}}
{{- $folder := include "prewarm.prometheusFolder" . -}}
{{- if and $auth.tokenSecret $auth.basicSecret -}}
{{- fail "prometheus.auth.tokenSecret and prometheus.auth.basicSecret exclude each other: remove one of them" -}}
{{- end -}}
- name: PREWARM_PROMETHEUS_URL
  value: {{ .Values.prometheus.url | quote }}
{{- with .Values.prometheus.headers }}
- name: PREWARM_PROMETHEUS_HEADERS
  value: {{ toJson . | quote }}
{{- end }}
{{- if $auth.tokenSecret }}
- name: PREWARM_PROMETHEUS_TOKEN_FILE
  value: {{ $folder }}/token
{{- end }}
{{- if $auth.basicSecret }}
- name: PREWARM_PROMETHEUS_USERNAME_FILE
  value: {{ $folder }}/username
- name: PREWARM_PROMETHEUS_PASSWORD_FILE
  value: {{ $folder }}/password
{{- end }}
{{- if $auth.caSecret }}
- name: PREWARM_PROMETHEUS_CA_FILE
  value: {{ $folder }}/ca.crt
{{- end }}
{{- if $auth.certificateSecret }}
- name: PREWARM_PROMETHEUS_CERTIFICATE_FILE
  value: {{ $folder }}/tls.crt
- name: PREWARM_PROMETHEUS_KEY_FILE
  value: {{ $folder }}/tls.key
{{- end }}
{{- end -}}

{{- define "prewarm.prometheusSecrets" -}}
{{- $auth := .Values.prometheus.auth -}}
{{- if .Values.prometheus.url -}}
{{- with $auth.tokenSecret }}
- secret: {name: {{ . | quote }}, items: [{key: {{ $auth.tokenKey | quote }}, path: token}]}
{{- end }}
{{- with $auth.basicSecret }}
- secret: {name: {{ . | quote }}, items: [{key: username, path: username}, {key: password, path: password}]}
{{- end }}
{{- with $auth.caSecret }}
- secret: {name: {{ . | quote }}, items: [{key: {{ $auth.caKey | quote }}, path: ca.crt}]}
{{- end }}
{{- with $auth.certificateSecret }}
- secret: {name: {{ . | quote }}, items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]}
{{- end }}
{{- end -}}
{{- end -}}
