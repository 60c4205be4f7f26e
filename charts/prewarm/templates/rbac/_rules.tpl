{{/* What the operator does to the namespaces that it watches. A test compares this with what the API server saw. */}}
{{- define "prewarm.operatorRules" -}}
- apiGroups: [prewarm.dev]
  resources: [agentdeployments]
  verbs: [list, watch]
- apiGroups: [prewarm.dev]
  resources: [agentdeployments/status]
  verbs: [patch]
# Children carry blockOwnerDeletion: clusters that check who may set it (OpenShift among them) ask for this.
- apiGroups: [prewarm.dev]
  resources: [agentdeployments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list, watch]
# Create is a dry run, to learn what admission says. Patch gives back labels that a hand has taken away.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, create, patch]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, create, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, create, patch]
# An autoscaler on a child is reported, never changed.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- if has .Values.nodeHeadroom.mode (list "Auto" "CapacityBuffer") }}
# Places on nodes for pods to come, and the pod that they are for.
- apiGroups: [autoscaling.x-k8s.io]
  resources: [capacitybuffers]
  verbs: [get, list, create, patch]
- apiGroups: [""]
  resources: [podtemplates]
  verbs: [get, list, create, patch]
{{- end }}
{{- end -}}
