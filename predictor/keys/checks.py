"""``manage.py check``: the configured rate is valid, before a request needs it."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError

from predictor.keys.rates import parse_rate


@checks.register()
def the_rate_can_be_read(**_: Any) -> list[checks.CheckMessage]:
    """THROTTLE_RATE is a rate, or empty."""
    try:
        if settings.THROTTLE_RATE:
            parse_rate(settings.THROTTLE_RATE)
    except ValidationError as error:
        hint = "Correct THROTTLE_RATE."
        return [checks.Error(f"THROTTLE_RATE: {error.message}", hint=hint, id="predictor.E001")]
    return []
