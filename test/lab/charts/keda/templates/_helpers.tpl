{{- define "keda.labels" -}}
app.kubernetes.io/name: keda-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: keda-operator
{{- end -}}
