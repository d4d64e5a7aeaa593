"""Opens the registry that the settings name."""

from django.conf import settings

from predictor.registry.azure import AzureRegistry
from predictor.serving.loading import model_policy

_SETTINGS = (
    "AZURE_STORAGE_ACCOUNT",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CONNECTION_STRING",
)


def remote_registry() -> AzureRegistry:
    """The registry in Azure Blob Storage; raises RegistryError when no account is set."""
    environment = {name: getattr(settings, name) for name in _SETTINGS}
    return AzureRegistry.from_environment(environment, model_policy())
