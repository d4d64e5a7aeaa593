"""The keys callers show. Only a key's prefix and its SHA-512 are kept."""

from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from predictor.keys.rates import check_rate


class ApiKey(AbstractAPIKey):
    """A key with a name, perhaps an end and a rate of its own."""

    rate = models.CharField(
        max_length=20,
        blank=True,
        validators=[check_rate],
        help_text="how often this key may ask, such as 100/minute; empty: THROTTLE_RATE",
    )

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"
