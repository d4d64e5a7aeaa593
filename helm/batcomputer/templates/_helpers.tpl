{{- define "batcomputer.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "batcomputer.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Only the server's pods bear the component: neither the migration's nor the test's get requests. */}}
{{- define "batcomputer.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "batcomputer.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "batcomputer.secretName" -}}
{{- .Values.secret.existing | default (include "batcomputer.fullname" .) -}}
{{- end -}}

{{- define "batcomputer.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "batcomputer.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* The server's settings that are no secret, as YAML. */}}
{{- define "batcomputer.settings" -}}
{{- $name := include "batcomputer.fullname" . -}}
{{- $inside := printf "%s.%s" $name .Release.Namespace -}}
{{- $hosts := list "localhost" $name $inside (printf "%s.svc" $inside) (printf "%s.svc.cluster.local" $inside) -}}
{{- $settings := dict -}}
{{- $_ := set $settings "HTTPS" (include "batcomputer.https" .) -}}
{{- $_ := set $settings "TRUSTED_PROXIES" (join "," .Values.trustedProxies) -}}
{{- with .Values.ingress }}{{ if .enabled -}}
{{- $hosts = append $hosts (required "ingress.host is needed when ingress.enabled is true" .host) -}}
{{- if .tls.enabled -}}
{{- $_ := set $settings "CSRF_TRUSTED_ORIGINS" (printf "https://%s" .host) -}}
{{- end -}}
{{- end }}{{ end -}}
{{- $_ := set $settings "ALLOWED_HOSTS" (concat $hosts .Values.allowedHosts | join ",") -}}
{{- with .Values.models.storageAccount }}{{ $_ := set $settings "AZURE_STORAGE_ACCOUNT" . }}{{ end -}}
{{- with .Values.models.fetch -}}
{{- /* a pod has no other version of these, whatever was activated or the image pins */ -}}
{{- $pins := list -}}
{{- range . }}{{ if ne .version "latest" }}{{ $pins = append $pins (printf "%s=%s" .name .version) }}{{ end }}{{ end -}}
{{- $_ := set $settings "MODEL_VERSION" (join "," $pins) -}}
{{- end -}}
{{- range $key, $value := .Values.settings }}{{ $_ := set $settings $key (toString $value) }}{{ end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* The volume of /data: one pod's database, or the spool that all pods share. */}}
{{- define "batcomputer.claimName" -}}
{{- $own := include "batcomputer.fullname" . -}}
{{- if ne .Values.database "sqlite" }}{{ $own = printf "%s-spool" $own }}{{ end -}}
{{- .Values.persistence.existingClaim | default $own -}}
{{- end -}}

{{/* Whether people reach the pages over HTTPS. */}}
{{- define "batcomputer.https" -}}
{{- .Values.settings.HTTPS | default (and .Values.ingress.enabled .Values.ingress.tls.enabled) -}}
{{- end -}}

{{/* The chart's own Secret's content. */}}
{{- define "batcomputer.secretData" -}}
{{- $_ := required "secret.existing, or secret.values.SECRET_KEY, is needed" .Values.secret.values.SECRET_KEY -}}
{{- if eq .Values.database "postgresql" -}}
{{- $_ := required "secret.values.DATABASE_URL is needed with database: postgresql" .Values.secret.values.DATABASE_URL -}}
{{- end -}}
{{- toYaml .Values.secret.values -}}
{{- end -}}

{{/* What a pod of any component may do: nothing that a web server does not need. */}}
{{- define "batcomputer.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false # settings come from the environment, so nothing else shall fill it
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The same for a container, with its image. */}}
{{- define "batcomputer.container" -}}
image: {{ include "batcomputer.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* The server's settings and the folders it writes to: for every container that runs its code. */}}
{{- define "batcomputer.server" -}}
{{ include "batcomputer.container" . }}
envFrom:
  - configMapRef:
      name: {{ include "batcomputer.fullname" . }}
  - secretRef:
      name: {{ include "batcomputer.secretName" . }}
volumeMounts:
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
  {{- if .Values.models.fetch }}
  - name: models
    mountPath: /models
  {{- end }}
resources: {{- toYaml .Values.resources | nindent 2 }}
{{- end -}}

{{- define "batcomputer.probe" -}}
httpGet:
  path: {{ . }}
  port: http
  httpHeaders: # the pod's address is no host name the server answers to
    - name: Host
      value: localhost
timeoutSeconds: 5
{{- end -}}
