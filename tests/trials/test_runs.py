"""Shadow runs from admin: a person starts one, upkeep runs it, the story shows it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from predictor.log import upkeep
from predictor.models import Shadow, ShadowRun, Upkeep
from predictor.serving.activation import activate
from predictor.trials import runs, shadow
from tests import bundles
from tests.bundles import ITEM

STORY = "/admin/predictor/activation/arkham/story/"
PRESS = "/admin/predictor/activation/arkham/shadow/"


@pytest.fixture(autouse=True)
def priorities(monkeypatch):
    """By how much each turn gave way, instead of giving way."""
    asked = []
    monkeypatch.setattr("os.nice", asked.append)
    return asked


@pytest.fixture
def versions(models_dir, post):
    """Arkham 1.0.0, which has answered twelve times, and 1.1.0."""
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))
    activate("arkham", "1.0.0", "Alfred")
    post([ITEM] * 12)
    return models_dir


def story(client):
    page = client.get(STORY).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def press(client, version="1.1.0", **more):
    page = client.post(PRESS, {"version": version} | more, follow=True).content.decode()
    return re.sub(r"\s+", " ", page)


def test_it_works(versions, admin_client, priorities):
    call_command("upkeep", verbosity=0)
    assert "Start the shadow run" in story(admin_client)
    assert "1.1.0 will be asked" in press(admin_client)
    assert "waits to replay the log" in story(admin_client)
    assert upkeep.is_due(), "although it was done a moment ago"
    call_command("upkeep", verbosity=0)
    assert Shadow.objects.filter(version="1.1.0").count() == 12
    assert priorities == [runs.POLITE], "scoring gives way to requests"
    said = story(admin_client)
    assert "shadow 1.1.0 replayed 12 logged cases" in said
    assert "beside 1.0.0: 12 answers" in said
    assert "mean change" in said
    assert not upkeep.is_due()


def test_only_a_version_that_is_here_and_not_in_service_is_asked(versions, admin_client):
    for version in ("1.0.0", "9.9.9", "", "../1.1.0"):
        assert "Choose an installed version" in press(admin_client, version)
    assert "Choose an installed version" in press(admin_client, days="8")
    assert not ShadowRun.objects.exists()


def test_pressing_twice_asks_once(versions, admin_client):
    press(admin_client)
    assert "has a shadow run already, which waits or runs" in press(admin_client)
    assert ShadowRun.objects.count() == 1


def test_it_goes_back_no_further_than_was_wanted(versions, admin_client):
    press(admin_client, days="7")
    run = ShadowRun.objects.get()
    assert abs(datetime.now(UTC) - timedelta(days=7) - run.since) < timedelta(minutes=5)


def test_a_turn_ends_and_the_next_goes_on(versions, admin_client, monkeypatch):
    monkeypatch.setattr(shadow, "_CHUNK", 5)
    monkeypatch.setattr(runs, "_TURN", 0.0)
    press(admin_client)
    seen = []
    for _ in range(4):
        call_command("upkeep", verbosity=0)
        seen.append(ShadowRun.objects.get().asked)
        if seen == [5]:
            assert "is replaying the log: 5 of 12 logged cases" in story(admin_client)
            assert upkeep.is_due(), "the other work of upkeep had its turn"
        monkeypatch.setattr(runs, "_TURN", 60.0 if len(seen) > 1 else 0.0)
    assert seen == [5, 5, 12, 12]
    assert Shadow.objects.filter(version="1.1.0").count() == 12


def test_what_is_asked_for_while_another_is_asked_is_not_forgotten(versions):
    call_command("upkeep", verbosity=0)
    upkeep.make_due(upkeep.SHADOW)

    def work():
        upkeep.make_due(upkeep.SHADOW)
        return "done"

    others = dict.fromkeys(upkeep.tasks(), lambda: "done")
    upkeep.run_due(others | {upkeep.SHADOW: work})
    assert upkeep.is_due()
    assert Upkeep.objects.get(name="shadow").leased_until is None


def test_it_can_be_stopped(versions, admin_client, monkeypatch):
    press(admin_client)
    (run,) = ShadowRun.objects.all()
    again = shadow.replay

    def stopped_meanwhile(*asked):
        for new in again(*asked):
            press(admin_client, stop=str(run.pk))
            yield new

    monkeypatch.setattr(runs, "replay", stopped_meanwhile)
    call_command("upkeep", verbosity=0)
    said = story(admin_client)
    assert "then ended before the last one" in said
    assert "admin stopped it" in said
    assert not upkeep.is_due()
    for gone in (str(run.pk), "x", "9" * 40):
        assert "The shadow run had already ended" in press(admin_client, stop=gone)


def test_why_it_could_not_be_asked_is_in_the_story(versions, admin_client, settings):
    press(admin_client)
    settings.LOG_LEAVES_OUT = ["arkham.city"]
    call_command("upkeep", verbosity=0)
    assert "the log does not keep city" in story(admin_client)
    assert not upkeep.is_due()


def test_other_files_of_that_name_are_not_asked(versions, admin_client):
    press(admin_client)
    ShadowRun.objects.update(sha256="0" * 64)
    call_command("upkeep", verbosity=0)
    assert "its files are not those that were there" in story(admin_client)


def test_who_may_not_activate_may_not_ask(versions, client, admin_client):
    assert admin_client.get(PRESS).status_code == 405
    client.force_login(User.objects.create_user("robin", is_staff=True))
    assert client.post(PRESS, {"version": "1.1.0"}).status_code == 403
    assert not ShadowRun.objects.exists()
