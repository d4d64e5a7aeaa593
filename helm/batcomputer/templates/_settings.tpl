{{- define "batcomputer.secretName" -}}
{{- .Values.secret.existing | default (include "batcomputer.fullname" .) -}}
{{- end -}}

{{/* Every host of the Ingress with its paths, as a YAML list. */}}
{{- define "batcomputer.ingressHosts" -}}
{{- $hosts := list -}}
{{- $base := include "batcomputer.basePath" . -}}
{{- with .Values.ingress.host }}{{ $hosts = append $hosts (dict "host" . "paths" (list $base)) }}{{ end -}}
{{- range .Values.ingress.hosts }}{{ $hosts = append $hosts (dict "host" .host "paths" (.paths | default (list $base))) }}{{ end -}}
{{- toYaml $hosts -}}
{{- end -}}

{{/* The base path of all routes, from the server's setting. */}}
{{- define "batcomputer.basePath" -}}
{{- printf "/%s" ((.Values.settings).BASE_PATH | default "" | trimAll "/") -}}
{{- end -}}

{{/* Host names of the Ingress and the Gateway, as a YAML list. */}}
{{- define "batcomputer.publicHosts" -}}
{{- $names := list -}}
{{- if .Values.ingress.enabled }}
{{- range include "batcomputer.ingressHosts" . | fromYamlArray }}{{ $names = append $names .host }}{{ end -}}
{{- if not $names }}{{ fail "ingress.host is needed when ingress.enabled is true" }}{{ end -}}
{{- end -}}
{{- if .Values.gateway.enabled }}
{{- $names = concat $names .Values.gateway.hosts -}}
{{- if not .Values.gateway.hosts }}{{ fail "gateway.hosts is needed when gateway.enabled is true" }}{{ end -}}
{{- end -}}
{{- toYaml (uniq $names) -}}
{{- end -}}

{{/* Whether people reach the pages over HTTPS. */}}
{{- define "batcomputer.https" -}}
{{- $ingress := and .Values.ingress.enabled .Values.ingress.tls.enabled -}}
{{- $gateway := and .Values.gateway.enabled .Values.gateway.tls.enabled -}}
{{- $said := get (.Values.settings | default dict) "HTTPS" | toString | lower -}}
{{- $said | empty | ternary (or $ingress $gateway) (has $said (list "true" "on" "ok" "y" "yes" "1")) -}}
{{- end -}}

{{/* The server's settings that are not secret, as YAML. */}}
{{- define "batcomputer.settings" -}}
{{- $name := include "batcomputer.fullname" . -}}
{{- $inside := printf "%s.%s" $name .Release.Namespace -}}
{{- $hosts := list "localhost" $name $inside (printf "%s.svc" $inside) (printf "%s.svc.%s" $inside .Values.clusterDomain) -}}
{{- $public := include "batcomputer.publicHosts" . | fromYamlArray -}}
{{- $names := list -}}{{/* Django writes .example.org for *.example.org */}}
{{- range $public }}{{ $names = append $names (trimPrefix "*" .) }}{{ end -}}
{{- $https := include "batcomputer.https" . -}}
{{- $settings := dict "HTTPS" $https "TRUSTED_PROXIES" (join "," .Values.trustedProxies) -}}
{{- if and $public (eq $https "true") -}}
{{- $_ := set $settings "CSRF_TRUSTED_ORIGINS" (printf "https://%s" (join ",https://" $public)) -}}
{{- end -}}
{{- $_ := set $settings "ALLOWED_HOSTS" (concat $hosts $names (.Values.allowedHosts | default list) | uniq | join ",") -}}
{{- with .Values.models.storageAccount }}{{ $_ := set $settings "AZURE_STORAGE_ACCOUNT" . }}{{ end -}}
{{- with .Values.models.fetch -}}
{{- /* a pod has only these versions, regardless of activations and the image's pins */ -}}
{{- $pins := list -}}
{{- range . }}{{ if ne .version "latest" }}{{ $pins = append $pins (printf "%s=%s" .name .version) }}{{ end }}{{ end -}}
{{- if $.Values.models.pin -}}
{{- $_ := set $settings "MODEL_VERSION" (join "," $pins) -}}
{{- else -}}
{{- /* the first of a model's versions; later activations take precedence, so fetch these too */ -}}
{{- $first := dict -}}
{{- range . }}{{ if and (ne .version "latest") (not (hasKey $first .name)) }}{{ $_ := set $first .name (printf "%s=%s" .name .version) }}{{ end }}{{ end -}}
{{- $_ := set $settings "MODEL_VERSION" "" -}}
{{- $_ := set $settings "INITIAL_VERSION" (values $first | sortAlpha | join ",") -}}
{{- end -}}
{{- end -}}
{{- if or .Values.models.existingClaim .Values.models.image -}}
{{- /* the image's own pins are for the models that are in it */ -}}
{{- $_ := set $settings "MODEL_VERSION" "" -}}
{{- $_ := set $settings "INITIAL_VERSION" (get $settings "INITIAL_VERSION") -}}
{{- end -}}
{{- if .Values.certificateAuthorities.name -}}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" }}{{ $_ := set $settings . "/etc/batcomputer/authorities/ca.crt" }}{{ end -}}
{{- end -}}
{{- if ne .Values.listen "0.0.0.0" }}{{ $_ := set $settings "HOST" .Values.listen }}{{ end -}}
{{- range $key, $value := .Values.settings }}
{{- if kindIs "float64" $value }}{{ $value = toJson $value }}{{ end -}}{{/* toString writes 1e+06 */}}
{{- $_ := set $settings $key (toString $value) }}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* The content of the chart's own Secret. */}}
{{- define "batcomputer.secretData" -}}
{{- $_ := required "secret.existing, or secret.values.SECRET_KEY, is needed" (.Values.secret.values).SECRET_KEY -}}
{{- if eq .Values.database "postgresql" -}}
{{- $_ := required "secret.values.DATABASE_URL is needed with database: postgresql" (.Values.secret.values).DATABASE_URL -}}
{{- end -}}
{{- toYaml .Values.secret.values -}}
{{- end -}}
