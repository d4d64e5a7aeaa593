"""The callers' API keys. Only a key's prefix and its SHA-512 are kept."""

from django.db import models
from rest_framework_api_key.models import AbstractAPIKey

from predictor.keys.rates import check_rate


class ApiKey(AbstractAPIKey):
    """A key with a name, perhaps an expiry date and its own rate."""

    rate = models.CharField(
        max_length=20,
        blank=True,
        validators=[check_rate],
        help_text="how often this key may ask, such as 100/minute; empty: THROTTLE_RATE",
    )

    reads_all = models.BooleanField(
        default=False,
        db_default=False,
        help_text="whether this key may read predictions of all callers, not only its own",
    )
    reports_all = models.BooleanField(
        default=False,
        db_default=False,
        help_text="whether this key may report outcomes of all predictions, not only of its own",
    )

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"
