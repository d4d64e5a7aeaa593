"""The story of a model: one page says how it came to answer as it does."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from predictor.admin.story import story_of
from predictor.models import Activation, Alarm, Trial, Verdict
from predictor.serving.activation import ActivationError, activate, roll_back
from predictor.serving.canary import end_trial
from predictor.serving.loading import load_beside
from predictor.serving.trial import try_version
from predictor.trials.watch import alert_people, note_drift
from tests import bundles
from tests.bundles import ITEM, METADATA

PAGE = "/admin/predictor/activation/arkham/story/"


@pytest.fixture
def versions(models_dir):
    """Arkham 1.0.0 and 1.1.0, which says where it comes from."""
    bundles.install(models_dir, version="1.0.0")
    known = {
        "origin": {"commit": "4db982b", "by": "Lucius", "run": "https://ci.example/run/7"},
        "data": {"period": "2025-01 to 2025-12"},
        "created": "2026-02-03T04:05:06+00:00",
        "verdict": {"result": "refused",
                    "checks": [{"rule": "better than constant", "result": "refused"}]},
    }  # fmt: skip
    bundles.install(
        models_dir, version="1.1.0", estimator=bundles.fitted(1), metadata=METADATA | known
    )
    return models_dir


def text(client):
    page = client.get(PAGE)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_it_works(versions, post, admin_client):
    activate("arkham", "1.0.0", "Alfred", "the first")
    post(ITEM)
    with pytest.raises(ActivationError):
        activate("arkham", "1.1.0", "Robin")
    Verdict.objects.create(
        model="arkham", version="1.1.0", sha256="", result="passed", by="Lucius",
        found={"result": "passed"},
    )  # fmt: skip
    activate("arkham", "1.1.0", "Robin", "it is better", force=True)
    roll_back("arkham", "watch_models", "compared with 1.0.0, log loss +0.1")
    said = text(admin_client)
    for sentence in (
        "Now 1.0.0 is in service. No other version is being tried.",
        "trained 1.1.0 made, and judged in training: refused (better than constant)",
        "4db982b", "https://ci.example/run/7", "2025-01 to 2025-12", "Lucius",
        "2026-02-03 04:05",
        "installed 1.1.0 is in the server",
        "answers 1.0.0 its first answer on record",
        "activated 1.0.0 answers all callers",
        "the first",
        "refused 1.1.0 was not put in service: its rules refuse it",
        "judged 1.1.0 judged on other cases: passed",
        "activated 1.1.0 answers all callers, replacing 1.0.0",
        "rolled back 1.0.0 answers again, replacing 1.1.0",
        "compared with 1.0.0, log loss +0.1",
    ):  # fmt: skip
        assert sentence in said, sentence
    assert said.index("rolled back 1.0.0") < said.index("activated 1.1.0"), "the newest first"
    assert said.index("activated 1.1.0") < said.index("trained 1.1.0")


def test_trials_and_alarms_are_shown(versions, admin_client, models_dir):
    bundles.install(models_dir, version="1.2.0", estimator=bundles.fitted(2))
    activate("arkham", "1.0.0", "Alfred")
    try_version("arkham", "1.2.0", 0.05, "Alfred", "carefully", timedelta(days=14))
    said = text(admin_client)
    assert "1.2.0 is being tried: 5 % of callers get it instead, until" in said
    assert "tried 1.2.0 5 % of callers get it until" in said
    end_trial("arkham", "watch_models", "compared with 1.0.0, Brier score +0.2")
    Alarm.objects.create(
        kind="trial worse", model="arkham", version="1.2.0", sha256="",
        figures="compared with 1.0.0, Brier score +0.2", done="its trial was ended",
    )  # fmt: skip
    said = text(admin_client)
    assert "No other version is being tried" in said
    assert "trial ended 1.2.0 no caller gets it any more" in said
    assert "alarm 1.2.0 this candidate is proven worse" in said
    assert "its trial was ended" in said


@pytest.mark.slow
def test_a_trial_is_ended_there(versions, admin_client, client, models_dir):
    end = PAGE.replace("story", "trial")
    bundles.install(models_dir, version="1.2.0", estimator=bundles.fitted(2))
    activate("arkham", "1.0.0", "Alfred")
    try_version("arkham", "1.2.0", 0.05, "Alfred")
    assert b"End the trial of 1.2.0" in admin_client.get(PAGE).content
    assert admin_client.get(end).status_code == 405
    admin_client.post(end, {"reason": "seen enough"})
    trial = Trial.objects.get()
    assert (trial.ended_by, trial.ended_because) == ("admin", "seen enough")
    assert "is being tried" in text_after(admin_client, end)
    client.force_login(User.objects.create_user("robin", is_staff=True))
    assert client.post(end).status_code == 403


def text_after(client, path):
    return client.post(path, follow=True).content.decode()


def test_drift_is_alerted_once(versions):
    model = load_beside(versions / "arkham/1.1.0", chosen=True)
    for _ in range(2):
        note_drift(model, ["city", "hour"])
    (alarm,) = [event for event in story_of("arkham").events if event.what == "alarm"]
    assert (alarm.version, alarm.facts[0]) == ("1.1.0", ("which", "city, hour"))
    assert alert_people() == 0, "the alert of the drift itself went out"


def test_a_trial_whose_time_is_over_has_ended(versions):
    activate("arkham", "1.0.0", "Alfred")
    over = timezone.now() - timedelta(hours=1)
    Trial.objects.create(model="arkham", version="1.1.0", share=0.1, ends=over, by="Alfred")
    story = story_of("arkham")
    assert story.trial is None
    (ended,) = [event for event in story.events if event.what == "trial ended"]
    assert ended.time == over


def test_a_version_that_cannot_be_read_is_part_of_it(versions, admin_client):
    (versions / "arkham/1.1.0/metadata.json").write_text("{")
    assert "unreadable 1.1.0" in text(admin_client)


def test_what_a_caller_or_owner_wrote_is_text(versions, admin_client):
    activate("arkham", "1.0.0", "Alfred", "<script>alert(1)</script>")
    assert b"<script>alert(1)" not in admin_client.get(PAGE).content


def test_a_model_that_is_gone_keeps_its_story(versions, admin_client):
    Activation.objects.create(model="blackgate", version="1.0.0", by="Alfred")
    page = admin_client.get(PAGE.replace("arkham", "blackgate"))
    assert "answers all callers" in page.content.decode()
    assert admin_client.get(PAGE.replace("arkham", "narrows")).status_code == 404


def test_only_those_who_may_see_activations_see_it(versions, client):
    user = User.objects.create_user("robin", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_activation"))
    assert client.get(PAGE).status_code == 200
    assert PAGE in client.get("/admin/predictor/activation/").content.decode()
