{{/*
The metadata of the chart's pods. `component` is the kind of pod: `server`, or a job (`migrate`,
`upkeep`, `test`), which also gets the labels and annotations of `jobs`.
*/}}
{{- define "batcomputer.podMetadata" -}}
{{- $values := .root.Values -}}
{{- $labels := include "batcomputer.selectorOf" . | fromYaml -}}
{{- $annotations := .annotations | default dict -}}
{{- if and $values.serviceAccount.workloadIdentityClientId (ne .component "test") -}}
{{- $_ := set $labels "azure.workload.identity/use" "true" -}}
{{- end -}}
{{- if ne .component "server" -}}
{{- $labels = mustMerge $labels ($values.jobs.podLabels | default dict) -}}
{{- $annotations = mustMerge $annotations ($values.jobs.podAnnotations | default dict) -}}
{{- end -}}
labels: {{- toYaml (mustMerge $labels ($values.podLabels | default dict) ($values.commonLabels | default dict)) | nindent 2 }}
{{- with mustMerge $annotations ($values.podAnnotations | default dict) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where a pod may run, as which user, and how it resolves names. */}}
{{- define "batcomputer.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false # settings come from the environment, so nothing else shall fill it
{{- with .Values.podSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- $secrets := list }}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) }}
{{- $secrets = append $secrets (kindIs "map" . | ternary . (dict "name" .)) }}
{{- end }}
{{- with uniq $secrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSpec }}
{{ toYaml . }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" "hostAliases" "dnsPolicy" "dnsConfig" }}
{{- with index $.Values $field }}
{{ toYaml (dict $field .) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A container's image and its privileges: only those that a web server needs. */}}
{{- define "batcomputer.container" -}}
image: {{ include "batcomputer.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.containerSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The server's settings and the folders it writes to: for every container that runs its code. */}}
{{- define "batcomputer.server" -}}
{{ include "batcomputer.container" . }}
envFrom:
  - configMapRef:
      name: {{ include "batcomputer.fullname" . }}
  - secretRef:
      name: {{ include "batcomputer.secretName" . }}
  {{- with .Values.extraEnvFrom }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .Values.extraEnv }}
env: {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
  {{- if include "batcomputer.modelsVolume" . }}
  - name: models
    mountPath: /models
    {{- if or .Values.models.readOnly .Values.models.image }}
    readOnly: true
    {{- end }}
  {{- end }}
  {{- include "batcomputer.extraMounts" . | nindent 2 }}
{{- end -}}

{{- define "batcomputer.extraMounts" -}}
{{- if .Values.certificateAuthorities.name }}
- name: authorities
  mountPath: /etc/batcomputer/authorities
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* The volumes of batcomputer.server. */}}
{{- define "batcomputer.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: {{ .Values.tmpSizeLimit }} }
- name: data
  {{- if or (eq .Values.database "sqlite") .Values.persistence.spool }}
  persistentVolumeClaim:
    claimName: {{ include "batcomputer.claimName" . }}
  {{- else }}
  emptyDir: { sizeLimit: 1Gi }
  {{- end }}
{{- with include "batcomputer.modelsVolume" . }}
- name: models
  {{- . | nindent 2 }}
{{- end }}
{{- include "batcomputer.extraVolumes" . | nindent 0 }}
{{- end -}}

{{- define "batcomputer.extraVolumes" -}}
{{- with .Values.certificateAuthorities }}{{ if .name }}
- name: authorities
  {{- $items := list (dict "key" .key "path" "ca.crt") }}
  {{- if eq .kind "Secret" }}
  {{- dict "secret" (dict "secretName" .name "items" $items) | toYaml | nindent 2 }}
  {{- else }}
  {{- dict "configMap" (dict "name" .name "items" $items) | toYaml | nindent 2 }}
  {{- end }}
{{- end }}{{ end }}
{{- with .Values.extraVolumes }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* The volume of /models; empty if the models are in the image. */}}
{{- define "batcomputer.modelsVolume" -}}
{{- with .Values.models }}
{{- if and .existingClaim .image }}{{ fail "models.existingClaim and models.image: only one of them can be /models" }}{{ end }}
{{- if and .fetch (or .image .readOnly) }}{{ fail "models.fetch writes to /models, which models.image and models.readOnly forbid" }}{{ end }}
{{- if .image -}}
image: { reference: {{ .image | quote }}, pullPolicy: IfNotPresent }
{{- else if .existingClaim -}}
persistentVolumeClaim: { claimName: {{ .existingClaim }} }
{{- else if .fetch -}}
emptyDir: { sizeLimit: {{ .sizeLimit }} }
{{- end }}
{{- end }}
{{- end -}}

{{/* Init containers that fetch the models from the registry, each with a different name. */}}
{{- define "batcomputer.fetchContainers" -}}
{{- $names := list }}
{{- range $index, $_ := .Values.models.fetch }}
{{- $name := regexReplaceAll "[._]" .name "-" | lower | trunc 53 | trimAll "-" | printf "fetch-%s" }}
{{- if has $name $names }}{{ $name = printf "%s-%d" $name $index }}{{ end }}
{{- $names = append $names $name }}
- name: {{ $name }}
  args: [python, manage.py, fetch_model, {{ .name | quote }}, {{ .version | quote }}]
  {{- include "batcomputer.server" $ | nindent 2 }}
  resources: {{- toYaml $.Values.resources | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "batcomputer.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  httpHeaders: # the pod's address is no host name the server answers to
    - name: Host
      value: localhost
{{ toYaml .times }}
{{- end -}}

{{/* The egress rules of a pod that runs the server's code. */}}
{{- define "batcomputer.egress" -}}
{{- include "batcomputer.egressToNames" . }}
{{- if .Values.networkPolicy.egressPorts }}
- ports:
    {{- range .Values.networkPolicy.egressPorts }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  {{- with .Values.networkPolicy.egressTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- with .Values.networkPolicy.egress }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{- define "batcomputer.egressToNames" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}
