{{/* The name that all of the chart's names begin with, as the official chart makes it. */}}
{{- define "stack.fullname" -}}
{{- default (printf "%s-kube-prometheus-stack" .Release.Name) .Values.fullnameOverride | trunc 26 | trimSuffix "-" -}}
{{- end -}}

{{- define "stack.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: kube-prometheus-stack
{{- end -}}
