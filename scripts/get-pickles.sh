#!/bin/sh
# Fetch a model's pickles from Azure Blob storage into models/, as .env says:
#   AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY, BLOB_CONTAINER (the model), VERSION (default: latest)
# Arguments do the same: scripts/get-pickles.sh [model] [version]
set -eu
cd "$(dirname "$0")/.."
. scripts/environment
prepare requirements.txt
local_secret
exec .venv/bin/python manage.py fetch_model "$@"
