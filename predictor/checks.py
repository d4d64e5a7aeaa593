"""System checks: ``manage.py check`` finds wrong combinations of settings before callers do."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core import checks

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.names import reserved
from predictor.artifacts.unpickling import read_contract
from predictor.serving.current import serving
from predictor.serving.loading import model_policy
from predictor.serving.served_models import read_pins


@checks.register("models")
def a_model_is_there(**_: Any) -> list[checks.CheckMessage]:
    """A Warning, not an Error: migrate must run before the first model is trained or fetched."""
    if serving().registry.models():
        return []
    return [
        checks.Warning(
            f"There is no model in {settings.MODELS_DIR}, so every prediction is refused.",
            hint="Train one (scripts/run does) or fetch one (the command fetch_model).",
            id="predictor.W001",
        )
    ]


@checks.register("models")
def no_model_has_a_name_of_ours(**_: Any) -> list[checks.CheckMessage]:
    """A model is no longer served if a new release has a route of the same name."""
    registry = serving().registry
    return [
        checks.Warning(
            f"A model in {registry.root} is not served: {reserved(name)}.",
            hint="Rename its folder; what is on record keeps the old name.",
            id="predictor.W008",
        )
        for name in registry.reserved()
    ]


@checks.register(checks.Tags.security)
def the_api_is_not_left_open(**_: Any) -> list[checks.CheckMessage]:
    """Reports a deployment (it has its own SECRET_KEY) that answers any caller."""
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


@checks.register(checks.Tags.security)
def callers_without_a_key_have_a_rate(**_: Any) -> list[checks.CheckMessage]:
    """Only a rate limits callers who need no key."""
    if settings.LOCAL or settings.API_KEY_REQUIRED or settings.THROTTLE_RATE:
        return []
    return [
        checks.Warning(
            "Callers without a key may ask as often as they like (THROTTLE_RATE is empty).",
            hint="Set THROTTLE_RATE, such as 600/minute, or API_KEY_REQUIRED=true.",
            id="predictor.W007",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def it_is_set_up_for_deployment(**_: Any) -> list[checks.CheckMessage]:
    """Reports settings that are safe only on a developer's own machine."""
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
    """Reports networks that cannot be parsed; ``keys.checks`` parses the rate."""
    return [
        checks.Error(
            f"TRUSTED_PROXIES: {problem}", hint="Correct TRUSTED_PROXIES.", id="predictor.E001"
        )
        for problem in _no_networks(settings.TRUSTED_PROXIES)
    ]


@checks.register("models")
def what_is_named_is_there(**_: Any) -> list[checks.CheckMessage]:
    """Reports names of no model or field: a slip would log a field in plain text, or pin no model.

    Warnings, because a model may be fetched after this was set.
    """
    found = [(key, "W005", problem) for key, problem in _unknown_fields()]
    found += [("MODEL_VERSION", "W006", problem) for problem in _unknown_pins()]
    return [
        checks.Warning(
            f"{key}: {problem}", hint=f"Correct {key}, if it is no model to come.",
            id=f"predictor.{number}",
        )
        for key, number, problem in found
    ]  # fmt: skip


def _unknown_fields() -> Iterator[tuple[str, str]]:
    registry = serving().registry
    models = registry.models()
    for key in ("LOG_LEAVES_OUT", "LOG_HASHES"):
        for name in getattr(settings, key):
            # both parts may contain dots
            named = [model for model in models if name.startswith(f"{model}.")]
            if "." not in name:
                yield key, f"{name!r} is not written as model.field"
            elif not named:
                yield key, f"there is no model for {name!r} in {registry}"
            elif not any(_has_field(m, name.removeprefix(f"{m}.")) for m in named):
                yield key, f"no version of {' or '.join(named)} has the field of {name!r}"


def _has_field(model: str, field: str) -> bool:
    """Whether a version of the model has the field; checks the newest first."""
    registry = serving().registry
    for version in reversed(registry.versions(model)):
        try:
            files = read_version(registry.folder(model, version), model_policy().limits)
            contract = read_contract(files, model_policy())
        except ArtifactError:
            continue  # loading the version reports that
        if any(feature.name == field for feature in contract.features):
            return True
    return False


def _unknown_pins() -> Iterator[str]:
    registry = serving().registry
    for name, version in read_pins(settings.MODEL_VERSION).items():
        model = name or (serving().names() or [settings.DEFAULT_MODEL])[0]
        try:
            if not registry.exists(model, version):
                yield f"{model} {version} is not in {registry}, so {model} cannot answer"
        except ArtifactError as error:
            yield str(error)


def _no_networks(given: list[str]) -> Iterator[str]:
    for network in given:
        try:
            ip_network(network)
        except ValueError as error:
            yield str(error)
