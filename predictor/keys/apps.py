"""Registers the keys with Django."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """API keys and rates."""

    name = "predictor.keys"
    label = "keys"
    verbose_name = "API keys"

    def ready(self) -> None:
        from predictor.keys import checks  # noqa: F401, PLC0415 - checks need the settings
