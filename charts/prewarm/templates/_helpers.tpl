{{/* Name of everything that this release owns: the release's name, with "prewarm" in it. */}}
{{- define "prewarm.fullname" -}}
{{- if contains "prewarm" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-prewarm" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of the Service for metrics, a DNS label even after the longest release name. */}}
{{- define "prewarm.metricsService" -}}
{{- printf "%s-metrics" (include "prewarm.fullname" . | trunc 55 | trimSuffix "-") -}}
{{- end -}}

{{- define "prewarm.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "prewarm.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | required "serviceAccount.create is false: name the ServiceAccount that exists in serviceAccount.name" -}}
{{- end -}}
{{- end -}}

{{/* Labels that tell the operator's pods from all others; a Deployment's selector never changes. */}}
{{- define "prewarm.selectorLabels" -}}
app.kubernetes.io/name: prewarm
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "prewarm.labels" -}}
{{ include "prewarm.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: prewarm
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* repository:tag@digest of an image; the chart's appVersion stands in where neither tag nor digest is given. */}}
{{- define "prewarm.image" -}}
{{- $tag := .image.tag -}}
{{- if not (or $tag .image.digest) -}}
{{- $tag = .chart.AppVersion -}}
{{- end -}}
{{- .image.repository -}}
{{- with $tag }}:{{ . }}{{ end -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/*
Fails where the cluster does not have a kind of the Prometheus Operator. Only a cluster lists kinds: `helm template`
without one knows versions alone, and there nothing can be said.
*/}}
{{- define "prewarm.requireMonitoringKind" -}}
{{- $kinds := .context.Capabilities.APIVersions -}}
{{- if and ($kinds.Has "apps/v1/Deployment") (not ($kinds.Has (printf "monitoring.coreos.com/v1/%s" .kind))) -}}
{{- fail (printf "%s.enabled is true, but the cluster has no %s of monitoring.coreos.com/v1: install the Prometheus Operator's CustomResourceDefinitions first, or set it to false" (untitle .kind) .kind) -}}
{{- end -}}
{{- end -}}

{{/* Name of the placeholder pods' PriorityClass. A release that makes nothing of the cluster's needs one that exists. */}}
{{- define "prewarm.placeholderPriorityClass" -}}
{{- if .Values.nodeHeadroom.priorityClassName -}}
{{- .Values.nodeHeadroom.priorityClassName -}}
{{- else if and .Values.watchNamespaces (has .Values.nodeHeadroom.mode (list "Auto" "Placeholder")) -}}
{{- fail "nodeHeadroom.mode is Auto or Placeholder and watchNamespaces is set: name a PriorityClass that exists, of a value below 0, in nodeHeadroom.priorityClassName" -}}
{{- else -}}
{{- printf "%s-headroom" (include "prewarm.fullname" . | trunc 54 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}
