"""manage.py check: what it warns of, and that the production settings are clean."""

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


@pytest.mark.slow
def test_the_production_settings_are_clean(tmp_path):
    """As docs/security.md gives them; scripts/run's own secret is as long."""
    bundles.install(tmp_path / "models")
    env = server_env(tmp_path, tmp_path / "models", ALLOWED_HOSTS="bat.example") | {
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGH",
        "API_KEY_REQUIRED": "true",
    }
    assert "no issues" in manage(env, "check", "--deploy", "--fail-level", "WARNING")
