"""Evidence from outcomes: recorded once, with an automatic rollback only if the setting allows."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from predictor.artifacts.errors import ScoringError
from predictor.log import refusals
from predictor.models import Activation, Alarm, Prediction, Shadow, Trial
from predictor.serving.activation import activate
from predictor.serving.current import serving
from predictor.serving.trial import try_version
from predictor.trials.watch import alert_people, respond, watch
from tests import bundles
from tests.trials.outcomes import came_true
from tests.trials.test_shadow import items, swapped


@pytest.fixture(autouse=True)
def settled(settings):
    settings.ALERT_EMAILS = ["gordon@gotham.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []


@pytest.fixture
def versions(models_dir):
    """Arkham 1.0.0, which was active, 1.1.0, which is equal but for its files, and 2.0.0."""
    bundles.install(models_dir, version="1.0.0")
    bundles.install(models_dir, version="1.1.0", metadata=bundles.METADATA | {"title": "New"})
    bundles.install(models_dir, version="2.0.0", estimator=swapped())
    activate("arkham", "1.0.0", "Alfred")
    return models_dir


def answered(post, count=120):
    serving().refresh()
    post(items(count))


def kinds():
    serving().refresh()
    return [finding.kind for finding in watch("arkham")]


def run(*options):
    """The output of watch_models, and its exit status."""
    try:
        call_command("watch_models", *options)
    except SystemExit as ended:
        return ended.code
    return 0


def a_bad_version_answers(post):
    """2.0.0 is active, and what 1.0.0 would have said came true."""
    activate("arkham", "2.0.0", "Alfred")
    answered(post)
    model = serving().active()
    for row in Prediction.objects.all():
        assert row.sha256 == model.sha256
    came_true_as_first_said()


def came_true_as_first_said():
    """Record 1.0.0's answer as the outcome of every prediction, whichever version answered."""
    from predictor.serving.loading import load_beside

    first = load_beside(serving().registry.folder("arkham", "1.0.0"), chosen=True)
    tops = {}
    for row in Prediction.objects.all():
        (scores,) = first.score([first.encoder.encode(row.inputs)])
        tops.setdefault(bundles.FLAGS[scores[1] > scores[0]], []).append(row.pk)
    for flag, keys in tops.items():
        came_true(flag, keys)


def test_it_works(versions, post, settings, capsys):
    a_bad_version_answers(post)
    assert run() == 3
    said = capsys.readouterr().out
    assert (
        "arkham 2.0.0: this active version is proven worse: compared with 1.0.0, Brier score"
        in said
    )
    assert Activation.objects.count() == 2, "alert only, unless set otherwise"
    assert len(mail.outbox) == 1
    assert "compared with 1.0.0, Brier score" in mail.outbox[0].body
    settings.AUTO_ROLLBACK = True
    run()
    assert "rolled back to 1.0.0" in capsys.readouterr().out
    decision = Activation.objects.first()
    assert (decision.kind, decision.version, decision.by) == ("rollback", "1.0.0", "watch_models")
    assert decision.reason.startswith("compared with 1.0.0, Brier score +")
    assert "rolled back to 1.0.0" in mail.outbox[1].body


@pytest.mark.slow
def test_it_goes_back_once(versions, post, settings):
    settings.AUTO_ROLLBACK = True
    a_bad_version_answers(post)
    for _ in range(4):
        run()
    assert Activation.objects.filter(kind="rollback").count() == 1
    assert Alarm.objects.filter(kind="active worse").count() == 1
    assert len([m for m in mail.outbox if "active version is proven worse" in m.body]) == 1
    serving().refresh()
    assert serving().active().version == "1.0.0"


@pytest.mark.slow
def test_upkeep_watches(versions, post, settings, capsys):
    settings.AUTO_ROLLBACK = True
    a_bad_version_answers(post)
    call_command("upkeep")
    assert "Evidence: arkham 2.0.0: this active version is proven worse" in capsys.readouterr().out
    assert Activation.objects.first().kind == "rollback"


def test_a_dry_run_decides_nothing(versions, post, settings, capsys):
    settings.AUTO_ROLLBACK = True
    a_bad_version_answers(post)
    assert run("--dry-run", "--since", "30d") == 3
    assert "the version before it answers again" in capsys.readouterr().out
    assert not Alarm.objects.exists()
    assert mail.outbox == []
    assert Activation.objects.count() == 2


@pytest.mark.slow
def test_an_equal_version_is_left_alone(versions, post, settings, capsys):
    settings.AUTO_ROLLBACK = True
    activate("arkham", "1.1.0", "Alfred")
    answered(post, 300)
    came_true()
    assert "active worse" not in kinds()
    assert Shadow.objects.count() == 300, "it was compared"


def test_what_nobody_reported_proves_nothing(versions, post, capsys):
    activate("arkham", "2.0.0", "Alfred")
    answered(post)
    assert run() == 0
    assert "arkham: nothing is proven" in capsys.readouterr().out
    assert not Shadow.objects.exists(), "without outcomes there is nothing to ask again"


@pytest.mark.slow
def test_a_candidate_that_is_worse_ends_its_trial(versions, post, settings):
    settings.AUTO_ROLLBACK = True
    try_version("arkham", "2.0.0", 0.5, "Alfred")
    serving().refresh()
    for item in items(130):
        post(item)
    came_true_as_first_said()
    assert {*Prediction.objects.values_list("version", flat=True)} == {"1.0.0", "2.0.0"}
    run()
    trial = Trial.objects.get()
    assert trial.ended_by == "watch_models"
    assert trial.ended_because.startswith("compared with 1.0.0, Brier score +")
    assert Activation.objects.count() == 1, "nothing is activated by itself"
    assert Alarm.objects.get(kind="trial worse").done == "its trial was ended"


@pytest.mark.slow
def test_a_candidate_that_is_as_good_goes_on(versions, post, settings):
    settings.AUTO_ROLLBACK = True
    try_version("arkham", "1.1.0", 0.5, "Alfred")
    answered(post, 120)
    came_true_as_first_said()
    run()
    assert Trial.objects.get().ended is None


def fails(monkeypatch, version):
    def failing(model, rows):
        if model.version == version:
            raise ScoringError("it ended")
        return score(model, rows)

    score = type(serving().active()).score
    monkeypatch.setattr(type(serving().active()), "score", failing)


def test_a_version_that_fails_to_answer_goes_back(versions, post, settings, monkeypatch):
    settings.AUTO_ROLLBACK = True
    activate("arkham", "2.0.0", "Alfred")
    serving().refresh()
    with monkeypatch.context() as patch:
        fails(patch, "2.0.0")
        assert post(items(1)[0]).status_code >= 500
    refusals.flush()
    answered(post, 60)
    assert kinds() == [], "one failure of few requests is none to act on"
    for _ in range(2):
        refusals.note(refusals.FAILED, "arkham", value="2.0.0")
    refusals.flush()
    answered(post, 100)
    assert kinds() == ["failing"]
    run()
    assert Activation.objects.first().reason == "3 of 163 requests were not answered"
    assert Activation.objects.first().version == "1.0.0"


def test_a_candidate_that_fails_to_answer_ends_its_trial(versions, post, settings):
    settings.AUTO_ROLLBACK = True
    try_version("arkham", "2.0.0", 0.5, "Alfred")
    for _ in range(100):
        refusals.note(refusals.FAILED, "arkham", value="2.0.0")
    refusals.flush()
    run()
    assert "100 of 100 requests were not answered" in Trial.objects.get().ended_because


@pytest.mark.slow
def test_a_broken_promise_is_for_a_person(versions, post, settings, capsys):
    settings.AUTO_ROLLBACK = True
    answered(post, 200)
    came_true("escapes")
    assert run() == 3
    assert "it does not keep its probabilities: jailed came true 0 times" in capsys.readouterr().out
    assert Activation.objects.count() == 1
    assert run() == 3
    assert len(mail.outbox) == 1


def test_a_pin_keeps_its_version(versions, post, settings):
    settings.AUTO_ROLLBACK = True
    a_bad_version_answers(post)
    serving().refresh()
    (finding, *_) = watch("arkham")
    settings.MODEL_VERSION = "2.0.0"
    serving.cache_clear()
    assert "pinned to 2.0.0" in respond(finding, act=True).done
    assert Activation.objects.count() == 2


def test_what_somebody_decided_meanwhile_holds(versions, post):
    a_bad_version_answers(post)
    serving().refresh()
    (finding, *_) = watch("arkham")
    activate("arkham", "1.1.0", "Robin")
    assert "is in service now" in respond(finding, act=True).done
    assert Activation.objects.first().version == "1.1.0"


@pytest.mark.slow
def test_an_alarm_is_sent_until_it_arrives(versions, post, settings, monkeypatch):
    a_bad_version_answers(post)
    with monkeypatch.context() as patch:
        patch.setattr("predictor.log.alerts.send_mail", lambda *_: (_ for _ in ()).throw(OSError))
        with pytest.raises(CommandError, match="could not be sent by e-mail"):
            run()
    assert mail.outbox == []
    run()
    assert len(mail.outbox) == 1
    assert alert_people() == 0


def test_what_the_log_does_not_keep_is_said(versions, post, settings, capsys):
    settings.LOG_HASHES = ["arkham.city"]
    a_bad_version = activate("arkham", "2.0.0", "Alfred")
    answered(post)
    came_true("escapes")
    run()
    said = capsys.readouterr()
    assert "does not keep city as it was" in said.err
    assert "active worse" not in said.out
    assert a_bad_version.refused is False


@pytest.mark.slow
def test_older_answers_do_not_count(versions, post):
    a_bad_version_answers(post)
    serving().refresh()
    assert list(watch("arkham", timezone.now() + timedelta(days=1))) == []
