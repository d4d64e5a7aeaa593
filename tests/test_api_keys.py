"""API keys: made in admin, shown by callers, limited, expired, revoked."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from predictor.keys import key_ring
from predictor.keys.models import ApiKey
from predictor.models import Prediction
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(arkham, settings):
    """A server that requires keys; a separate Client reads the settings again."""
    settings.API_KEY_REQUIRED = True
    return Client()


def ask(client, **headers):
    return client.post("/api/predict", ITEM, content_type="application/json", headers=headers)


def check_refused(response, status=401):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "X-API-Key: {}", "X-API-Key: Api-Key {}", "X-API-Key: api-key  {} ",
        "Authorization: Api-Key {}", "Authorization: API-KEY {}",
    ],
)  # fmt: skip
def test_it_works(closed, header):
    _, key = ApiKey.objects.create_key(name="Gordon")
    name, _, value = header.format(key).partition(": ")
    assert ask(closed, **{name: value}).status_code == 200
    assert Prediction.objects.get().caller == "Gordon"


def test_one_can_be_made_without_a_browser(closed, capsys):
    call_command("create_api_key", "Gordon", "--rate", "1/day")
    key = capsys.readouterr().out.strip()
    assert ask(closed, **{"X-API-Key": key}).status_code == 200
    assert Prediction.objects.get().caller == "Gordon"
    assert ask(closed, **{"X-API-Key": key}).status_code == 429


@pytest.mark.parametrize(("name", "rate"), [("", ""), ("x" * 51, ""), ("Gordon", "often")])
def test_none_is_made_of_what_admin_would_refuse(closed, name, rate):
    with pytest.raises(CommandError):
        call_command("create_api_key", name, "--rate", rate)
    assert not ApiKey.objects.exists()


def test_it_is_known_by_its_hash_only(closed):
    made, key = ApiKey.objects.create_key(name="Gordon")
    kept = "".join(str(value) for value in vars(made).values())
    assert key.partition(".")[2] not in kept
    assert made.hashed_key.startswith("sha512$$")


def test_it_refuses_those_without(closed):
    response = ask(closed)
    check_refused(response)
    assert response["WWW-Authenticate"].startswith("Api-Key")
    check_refused(closed.get("/api/info"))


@pytest.mark.parametrize("shown", ["wrong", "a.b", ".", "x" * 5000, "Gömül", "\x7f"])
def test_it_refuses_wrong_keys(closed, shown):
    check_refused(ask(closed, **{"X-API-Key": shown}))
    check_refused(ask(closed, Authorization=f"Api-Key {shown}"))


def test_it_refuses_a_wrong_key_where_none_is_needed(arkham, client):
    check_refused(ask(client, **{"X-API-Key": "wrong"}))


def test_it_refuses_a_revoked_key_within_seconds(closed, monkeypatch):
    made, key = ApiKey.objects.create_key(name="Dent")
    assert ask(closed, **{"X-API-Key": key}).status_code == 200
    Prediction.objects.all().delete()
    made.revoked = True
    made.save()
    later = key_ring.time.monotonic() + key_ring.FRESH
    monkeypatch.setattr(key_ring.time, "monotonic", lambda: later)
    check_refused(ask(closed, **{"X-API-Key": key}))


def test_it_refuses_an_expired_key(closed):
    past = timezone.now() - timedelta(seconds=1)
    _, key = ApiKey.objects.create_key(name="Dent", expiry_date=past)
    check_refused(ask(closed, **{"X-API-Key": key}))


def test_a_known_key_outlives_the_database(closed, monkeypatch):
    _, known = ApiKey.objects.create_key(name="Gordon")
    _, unknown = ApiKey.objects.create_key(name="Dent")
    assert closed.get("/api/info", headers={"X-API-Key": known}).status_code == 200

    def gone(_):
        raise OperationalError

    monkeypatch.setattr(key_ring, "_look_up", gone)
    later = key_ring.time.monotonic() + key_ring.FRESH
    monkeypatch.setattr(key_ring.time, "monotonic", lambda: later)
    assert closed.get("/api/info", headers={"X-API-Key": known}).status_code == 200
    check_refused(closed.get("/api/info", headers={"X-API-Key": unknown}), status=503)


@pytest.mark.parametrize("path", ["/", "/api/docs", "/swagger.json", "/healthz", "/admin/login/"])
def test_it_leaves_pages_and_probes_open(closed, path):
    assert closed.get(path).status_code == 200


def test_a_key_is_made_in_admin_and_shown_once(arkham):
    client = Client()
    client.force_login(User.objects.create_superuser("alfred"))
    form = {"name": "Gordon <b>", "rate": "10/minute"}
    page = client.post("/admin/keys/apikey/add/", form, follow=True).content.decode()
    key = re.search(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}", page).group()
    assert "Gordon <b>" not in page
    assert ApiKey.objects.get_from_key(key).rate == "10/minute"
    again = client.get("/admin/keys/apikey/").content.decode()
    assert key not in again


def test_admin_refuses_a_rate_that_is_none(arkham):
    client = Client()
    client.force_login(User.objects.create_superuser("alfred"))
    page = client.post("/admin/keys/apikey/add/", {"name": "x", "rate": "often"})
    assert "is not a rate" in page.content.decode()
    assert not ApiKey.objects.exists()


def test_the_document_names_the_key(closed):
    document = closed.get("/swagger.json").json()
    assert document["security"] == [{"ApiKey": []}]
    scheme = document["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")
