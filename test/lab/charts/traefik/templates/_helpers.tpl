{{- define "traefik.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name -}}
{{- end -}}

{{- define "traefik.selector" -}}
app.kubernetes.io/name: traefik
app.kubernetes.io/instance: {{ .Values.instanceLabelOverride | default (printf "%s-%s" .Release.Name .Release.Namespace) }}
{{- end -}}

{{- define "traefik.labels" -}}
{{ include "traefik.selector" . }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "traefik.probe" -}}
httpGet: { path: /ping, port: 8080, scheme: HTTP }
{{ toYaml . }}
{{- end -}}

{{- define "traefik.pod" -}}
metadata:
  annotations:
    prometheus.io/scrape: 'true'
    prometheus.io/path: /metrics
    prometheus.io/port: {{ .Values.ports.metrics.port | quote }}
  labels: {{- include "traefik.labels" . | nindent 4 }}
spec:
  serviceAccountName: {{ include "traefik.fullname" . }}
  automountServiceAccountToken: true
  terminationGracePeriodSeconds: 60
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    seccompProfile: { type: RuntimeDefault }
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ include "traefik.fullname" . }}
      image: docker.io/traefik:{{ .Chart.AppVersion }}
      args:
        {{- if not .Values.global.checkNewVersion }}
        - --global.checkNewVersion=false
        {{- end }}
        - --entryPoints.metrics.address=:{{ .Values.ports.metrics.port }}/tcp
        - --entryPoints.traefik.address=:8080/tcp
        - --entryPoints.web.address=:8000/tcp
        - --entryPoints.websecure.address=:8443/tcp
        - --api.dashboard=false
        - --ping=true
        - --metrics.prometheus=true
        {{- with .Values.metrics.prometheus }}
        - --metrics.prometheus.entrypoint={{ .entryPoint }}
        - --metrics.prometheus.addRoutersLabels={{ .addRoutersLabels }}
        - --metrics.prometheus.addEntryPointsLabels={{ .addEntryPointsLabels }}
        - --metrics.prometheus.addServicesLabels={{ .addServicesLabels }}
        {{- end }}
        - --providers.kubernetescrd
        - --providers.kubernetescrd.allowEmptyServices=true
        - --entryPoints.websecure.http.tls=true
        - --log.level=INFO
      env:
        - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
        - { name: POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
        - { name: USER, value: traefik }
      ports:
        - { name: metrics, containerPort: {{ .Values.ports.metrics.port }} }
        - { name: traefik, containerPort: 8080 }
        - { name: web, containerPort: 8000 }
        - { name: websecure, containerPort: 8443 }
      readinessProbe: {{- include "traefik.probe" .Values.readinessProbe | nindent 8 }}
      livenessProbe: {{- include "traefik.probe" .Values.livenessProbe | nindent 8 }}
      resources: {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: data, mountPath: /data }
        - { name: tmp, mountPath: /tmp }
  volumes:
    - { name: data, emptyDir: {} }
    - { name: tmp, emptyDir: {} }
{{- end -}}
