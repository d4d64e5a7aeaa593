{{- define "batcomputer.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Also the name of a Service, which may contain no dot and begin with no digit, unlike a release's. */}}
{{- define "batcomputer.fullname" -}}
{{- $name := include "batcomputer.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- $name = .Release.Name -}}
{{- else -}}
{{- $name = printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- regexReplaceAll "^([0-9])" ($name | replace "." "-") "b${1}" | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{/* The full name cut to `most` characters, with a hash of the rest so that it stays unique. */}}
{{- define "batcomputer.shortName" -}}
{{- $name := include "batcomputer.fullname" .root -}}
{{- if gt (len $name) (int .most) -}}
{{- $name = printf "%s-%s" ($name | trunc (int (sub .most 9)) | trimSuffix "-") ($name | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "batcomputer.identity" -}}
app.kubernetes.io/name: {{ include "batcomputer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object; the chart's own win over commonLabels, since selectors rely on them. */}}
{{- define "batcomputer.labels" -}}
{{- $own := include "batcomputer.identity" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- toYaml (mustMerge $own (.Values.commonLabels | default dict)) -}}
{{- end -}}

{{/* Labels that select the pods of one component: `server`, `migrate`, `test`, `upkeep`. */}}
{{- define "batcomputer.selectorOf" -}}
{{ include "batcomputer.identity" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Only the server's pods have this component, so that the others get no requests. */}}
{{- define "batcomputer.selector" -}}
{{- include "batcomputer.selectorOf" (dict "root" . "component" "server") -}}
{{- end -}}

{{/* The registry of `global` or `image` replaces the one in the repository's name. */}}
{{- define "batcomputer.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with (.Values.global).imageRegistry | default .Values.image.registry -}}
{{- $repository = printf "%s/%s" . (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "batcomputer.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "batcomputer.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "batcomputer.serviceAccountAnnotations" -}}
{{- $own := dict -}}
{{- with .Values.serviceAccount.workloadIdentityClientId }}{{ $_ := set $own "azure.workload.identity/client-id" . }}{{ end -}}
{{- with mustMerge $own (.Values.serviceAccount.annotations | default dict) }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The volume of /data: one pod's database, or the spool that all pods share. */}}
{{- define "batcomputer.claimName" -}}
{{- $own := include "batcomputer.fullname" . -}}
{{- if ne .Values.database "sqlite" }}{{ $own = printf "%s-spool" $own }}{{ end -}}
{{- .Values.persistence.existingClaim | default $own -}}
{{- end -}}
