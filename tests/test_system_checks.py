"""manage.py check: its warnings, and that production settings cause none."""

import pytest
from django.core.checks import run_checks

from tests import bundles
from tests.servers import manage, server_env


def found(**options):
    return {message.id for message in run_checks(**options)}


def test_it_works(arkham, settings):
    settings.API_KEY_REQUIRED = True
    assert not {each for each in found() if each.startswith("predictor.")}


def test_it_warns_of_an_open_deployment(arkham, settings):
    settings.LOCAL, settings.API_KEY_REQUIRED = False, False
    assert "predictor.W002" in found()
    settings.LOCAL = True
    assert "predictor.W002" not in found()


def test_it_warns_without_a_model(models_dir):
    assert "predictor.W001" in found()


def test_it_warns_of_a_local_set_up_on_deployment(arkham, settings):
    settings.LOCAL = True
    settings.ALLOWED_HOSTS = ["*"]
    assert {"predictor.W003", "predictor.W004"} <= found(include_deployment_checks=True)


@pytest.mark.parametrize(
    ("key", "value"), [("THROTTLE_RATE", "often"), ("TRUSTED_PROXIES", ["10.0.0.1/8"])]
)
def test_it_names_a_setting_it_cannot_read(arkham, settings, key, value):
    setattr(settings, key, value)
    messages = [message for message in run_checks() if message.id == "predictor.E001"]
    assert key in messages[0].msg


def warned(number):
    return [message.msg for message in run_checks() if message.id == f"predictor.{number}"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("villain", "is not written as model.field"),
        ("blackgate.villain", "there is no model"),
        ("arkham.vilain", "no version of arkham has the field"),
    ],
)
@pytest.mark.parametrize("key", ["LOG_LEAVES_OUT", "LOG_HASHES"])
def test_it_warns_of_a_private_field_that_is_none(arkham, settings, key, name, said):
    setattr(settings, key, ["arkham.city", name])
    (message,) = warned("W005")
    assert key in message
    assert said in message


@pytest.mark.parametrize("pin", ["9.9.9", "arkham=9.9.9", "arkam=1.0.0", "arkham=../1.0.0"])
def test_it_warns_of_a_pin_to_what_is_not_there(arkham, settings, pin):
    settings.MODEL_VERSION = "arkham=1.0.0"
    assert not warned("W006")
    settings.MODEL_VERSION = pin
    assert len(warned("W006")) == 1


@pytest.mark.slow
def test_the_production_settings_are_clean(tmp_path):
    """As docs/security.md gives them; scripts/run's own secret is as long."""
    bundles.install(tmp_path / "models")
    env = server_env(tmp_path, tmp_path / "models", ALLOWED_HOSTS="bat.example") | {
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGH",
        "API_KEY_REQUIRED": "true",
    }
    assert "no issues" in manage(env, "check", "--deploy", "--fail-level", "WARNING")


@pytest.mark.parametrize(
    ("local", "keys", "rate", "warns"),
    [
        (False, False, "", True),
        (False, False, "5/minute", False),
        (False, True, "", False),
        (True, False, "", False),
    ],
)
def test_it_warns_of_callers_that_nothing_holds_back(arkham, settings, local, keys, rate, warns):
    settings.LOCAL, settings.API_KEY_REQUIRED, settings.THROTTLE_RATE = local, keys, rate
    assert ("predictor.W007" in found()) == warns
