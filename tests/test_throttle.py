"""Rates: how often a key, or without one an address, may ask."""

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from redis.exceptions import ConnectionError as CacheGone

from predictor.keys import rates
from predictor.keys.models import ApiKey
from predictor.keys.rates import Rate, parse_rate
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """The time of day, standing still until a test moves it."""

    class Clock:
        now = 1_000_000_000.0

    monkeypatch.setattr(rates.time, "time", lambda: Clock.now)
    cache.clear()
    yield Clock
    cache.clear()


@pytest.fixture
def limited(arkham, clock, settings):
    settings.THROTTLE_RATE = "2/minute"
    return Client()


def ask(client, address="203.0.113.9", **headers):
    return client.post(
        "/api/predict", ITEM, "application/json", headers=headers, REMOTE_ADDR=address
    )


def test_it_works(limited, clock):
    assert [ask(limited).status_code for _ in range(3)] == [200, 200, 429]
    refused = ask(limited)
    assert refused["Content-Type"] == "application/problem+json"
    wait = int(refused["Retry-After"])
    clock.now += wait - 1
    assert ask(limited).status_code == 429
    clock.now += 1
    assert ask(limited).status_code == 200


def test_every_answer_says_what_is_left(limited, clock):
    answers = [ask(limited) for _ in range(3)]
    assert [one["RateLimit"] for one in answers] == [
        f'"requests";r={left};t={20}' for left in (1, 0, 0)
    ]
    assert {one["RateLimit-Policy"] for one in answers} == {'"requests";q=2;w=60'}
    assert answers[2]["Retry-After"] == "20"


def test_so_does_one_that_django_refuses(limited):
    lost = limited.get("/api/nothing", REMOTE_ADDR="203.0.113.9")
    assert (lost.status_code, lost["RateLimit"]) == (404, '"requests";r=1;t=20')
    wrong = limited.put("/api/predict", REMOTE_ADDR="203.0.113.9")
    assert (wrong.status_code, wrong["RateLimit"]) == (405, '"requests";r=0;t=20')
    assert wrong["Allow"]


def test_a_refused_key_is_counted_and_said(limited):
    wrong = [ask(limited, **{"X-API-Key": "wrong"}) for _ in range(3)]
    assert [one.status_code for one in wrong] == [401, 401, 429]
    assert [one["RateLimit"] for one in wrong] == [f'"requests";r={n};t=20' for n in (1, 0, 0)]
    assert wrong[0]["WWW-Authenticate"].startswith("Api-Key")


def test_too_many_rows_say_it_too(limited, clock):
    answered = limited.post("/api/predict", [ITEM] * 300, "application/json", REMOTE_ADDR="::2")
    assert answered.status_code == 429
    assert (answered["Retry-After"], answered["RateLimit"]) == ("20", '"requests";r=0;t=20')


def test_without_a_rate_nothing_is_said(arkham, settings):
    settings.THROTTLE_RATE = ""
    assert "RateLimit" not in ask(Client())


def test_every_address_has_its_own(limited):
    assert [ask(limited).status_code for _ in range(3)] == [200, 200, 429]
    assert ask(limited, "203.0.113.10").status_code == 200


def test_a_network_of_ipv6_is_one_address(limited):
    answers = [ask(limited, f"2001:db8::{n}").status_code for n in range(1, 4)]
    assert answers == [200, 200, 429]
    assert ask(limited, "2001:db8:0:1::1").status_code == 200


def test_ipv4_over_a_socket_for_both_is_ipv4(limited):
    """Else all callers would be one network, ::/64."""
    assert [ask(limited, "::ffff:203.0.113.9").status_code for _ in range(3)] == [200, 200, 429]
    assert ask(limited, "203.0.113.9").status_code == 429
    assert ask(limited, "::ffff:203.0.113.10").status_code == 200


def test_wrong_keys_count_against_their_address(limited):
    wrong = {"X-API-Key": "wrong.key"}
    assert [ask(limited, **wrong).status_code for _ in range(3)] == [401, 401, 429]
    _, key = ApiKey.objects.create_key(name="Gordon")
    assert ask(limited, **{"X-API-Key": key}).status_code == 200


def test_a_key_has_its_own_rate(limited):
    _, key = ApiKey.objects.create_key(name="Gordon", rate="3/minute")
    answers = [ask(limited, **{"X-API-Key": key}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert ask(limited).status_code == 200


def test_the_page_counts_too(limited):
    for _ in range(2):
        assert limited.post("/", ITEM, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert limited.post("/", ITEM, REMOTE_ADDR="203.0.113.9").status_code == 429
    assert limited.get("/", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_a_clock_that_steps_back_locks_nobody_out(limited, clock):
    assert [ask(limited).status_code for _ in range(3)] == [200, 200, 429]
    clock.now -= 3600
    assert ask(limited).status_code == 200


def test_it_lets_pass_when_the_cache_is_gone(limited, monkeypatch):
    calls = []

    def gone(key):
        calls.append(key)
        raise CacheGone

    monkeypatch.setattr(rates.cache, "incr", gone)
    assert [ask(limited).status_code for _ in range(5)] == [200] * 5
    assert len(calls) == 1, "a cache that failed is not asked again at once"


@pytest.mark.parametrize(
    "text", ["", "often", "10", "10/fortnight", "0/minute", "-1/minute", "²/day"]
)
def test_it_rejects_what_is_no_rate(text):
    with pytest.raises(ValidationError, match="is not a rate"):
        parse_rate(text)


def test_it_reads_rates():
    assert parse_rate("600/hour") == Rate(600, 3600)
    assert str(parse_rate("6000/hour")) == "6,000 requests a hour"
