"""Settings that do not go together, found by ``manage.py check`` before a caller finds them."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError

from predictor.keys.rates import parse_rate
from predictor.registry.local import LocalRegistry


@checks.register("models")
def a_model_is_there(**_: Any) -> list[checks.CheckMessage]:
    """A Warning, not an Error: migrate must run before the first model is trained or fetched."""
    if LocalRegistry(Path(settings.MODELS_DIR)).models():
        return []
    return [
        checks.Warning(
            f"There is no model in {settings.MODELS_DIR}, so every prediction is refused.",
            hint="Train one (scripts/run does) or fetch one (manage.py fetch_model).",
            id="predictor.W001",
        )
    ]


@checks.register(checks.Tags.security)
def the_api_is_not_left_open(**_: Any) -> list[checks.CheckMessage]:
    """A deployment (it has a SECRET_KEY of its own) that answers everybody says so here."""
    if settings.LOCAL or settings.API_KEY_REQUIRED:
        return []
    return [
        checks.Warning(
            "Anyone who reaches this deployment may ask its API (API_KEY_REQUIRED is false).",
            hint="Set API_KEY_REQUIRED=true and make keys in admin, or let only those who may ask "
            "reach it.",
            id="predictor.W002",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def it_is_set_up_for_strangers(**_: Any) -> list[checks.CheckMessage]:
    """What is fine on one's own machine and not beyond it."""
    found: list[checks.CheckMessage] = []
    if settings.LOCAL:
        found.append(
            checks.Warning(
                "SECRET_KEY is not set, so this is a local server's configuration.",
                hint="Set SECRET_KEY to a secret of this deployment.",
                id="predictor.W003",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            checks.Warning(
                "ALLOWED_HOSTS is *, so the Host header may say anything.",
                hint="Name the hosts this deployment is reached by.",
                id="predictor.W004",
            )
        )
    return found


@checks.register()
def what_is_set_can_be_read(**_: Any) -> list[checks.CheckMessage]:
    """Rates and networks are written as they must be."""
    return [
        checks.Error(f"{key}: {problem}", hint=f"Correct {key}.", id="predictor.E001")
        for key, problem in _unreadable()
    ]


def _unreadable() -> Iterator[tuple[str, str]]:
    try:
        if settings.THROTTLE_RATE:
            parse_rate(settings.THROTTLE_RATE)
    except ValidationError as error:
        yield "THROTTLE_RATE", str(error.message)
    for network in settings.TRUSTED_PROXIES:
        try:
            ip_network(network)
        except ValueError as error:
            yield "TRUSTED_PROXIES", str(error)
