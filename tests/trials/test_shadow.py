"""Replays of the log: each row once, compared with its answer, and which rows are evidence."""

import copy
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from sklearn.linear_model import LogisticRegression

from predictor.log.retention import prune
from predictor.log.uuid7 import time_of
from predictor.log.writer.store import Store
from predictor.models import Outcome, Prediction, Shadow
from predictor.serving.activation import activate
from predictor.serving.current import serving
from predictor.serving.loading import load_beside
from predictor.serving.version_origin import created
from predictor.trials.proof import paired_losses, promises_of, replayed
from predictor.trials.shadow import asked_since, replay
from tests import bundles, once
from tests.bundles import CITIES, ITEM, LOOKUP, METADATA
from tests.log.entries import entry
from tests.trials.outcomes import came_true


@pytest.fixture(autouse=True)
def no_less_priority(monkeypatch):
    monkeypatch.setattr("os.nice", lambda by: 0)


@pytest.fixture
def versions(models_dir):
    """Arkham 1.0.0, which answers, and 1.1.0, which answers otherwise."""
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))
    activate("arkham", "1.0.0", "Alfred")
    return models_dir


def swapped():
    """A model that states the contrary of ``fitted(0)``, and is sure of it."""
    estimator = copy.deepcopy(bundles.fitted(0))
    estimator.coef_, estimator.intercept_ = -estimator.coef_ * 3, -estimator.intercept_ * 3
    return estimator


def items(count):
    draw = random.Random(1)
    villains = list(LOOKUP["villain"])
    return [
        {"city": draw.choice(CITIES), "villain": draw.choice(villains), "hour": draw.randrange(24)}
        for _ in range(count)
    ]


def version(models_dir, name):
    return load_beside(models_dir / "arkham" / name, chosen=True)


def shadowed(models_dir, name, since=None):
    model = version(models_dir, name)
    new = list(replay(model, asked_since("arkham", since)))
    return sum(new), replayed("arkham", name, model.sha256, since)


@pytest.mark.slow
def test_a_thousand_answers_are_the_same_to_the_bit(versions, post, monkeypatch):
    """They are from a table; without one, a product of matrices rounds by its height."""
    monkeypatch.setattr(once, "loaded", {})  # another test may have loaded it without its table
    serving.cache_clear()
    post(items(600))
    for item in items(400):
        post(item)
    new, (found,) = shadowed(versions, "1.0.0")
    assert (new, found.asked, found.same, found.refused, found.largest) == (1000, 1000, 1000, 0, 0)
    both = Shadow.objects.values_list("scores", "prediction__scores")
    assert all(again == logged for again, logged in both)


def test_it_works(versions, post, capsys):
    post(items(100))
    call_command("shadow", "arkham", "1.1.0")
    said = capsys.readouterr().out
    assert "arkham 1.1.0: 100 logged answers, 100 asked now" in said
    assert "beside 1.0.0: 100 answers" in said
    assert "evidence: 100 answers given after both were made" in said
    assert "proof: none, 0 outcomes of these are known; 50 needed" in said
    call_command("shadow", "arkham", "1.1.0", since="1d")
    assert "100 logged answers since" in (again := capsys.readouterr().out)
    assert ", 0 asked now" in again


def test_of_one_answer_is_said_what_is_said_of_one(versions, post, capsys):
    young = METADATA | {"created": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    bundles.install(versions, version="1.2.0", estimator=bundles.fitted(2), metadata=young)
    post(ITEM)
    came_true()
    for version in ("1.1.0", "1.2.0"):
        call_command("shadow", "arkham", version)
    now, older = capsys.readouterr().out.split("arkham 1.2.0: ")
    assert "arkham 1.1.0: 1 logged answer, 1 asked now\nbeside 1.0.0: 1 answer\n" in now
    assert "log loss over 1 outcome: " in now
    assert "proof: none, 1 outcome of these is known; 50 needed" in now
    assert "evidence: 0 answers given after both were made; 1 older one is replay" in older


def test_strict_ends_with_a_status_where_it_is_worse(versions, post, capsys):
    bundles.install(versions, version="2.0.0", estimator=swapped())
    post(items(60))
    came_true()
    for name in ("1.0.0", "1.1.0"):
        call_command("shadow", "arkham", name, strict=True)
    call_command("shadow", "arkham", "2.0.0")
    with pytest.raises(SystemExit) as ended:
        call_command("shadow", "arkham", "2.0.0", strict=True)
    assert ended.value.code == 3
    said = capsys.readouterr().err
    assert "arkham 2.0.0 beside 1.0.0: it is proven worse, Brier score +" in said


def test_it_compares_by_hand(versions, post):
    asked = items(50)
    post(asked)
    _, (found,) = shadowed(versions, "1.1.0")
    new = version(versions, "1.1.0")
    scores = new.score([new.encoder.encode(item) for item in asked])
    logged = Prediction.objects.order_by("id").values_list("scores", "top_flag")
    changes = [abs(s[0] - old["escapes"]) for s, (old, _) in zip(scores, logged, strict=True)]
    assert found.mean == pytest.approx(sum(changes) / 50)
    assert found.largest == pytest.approx(max(changes))
    tops = [["escapes", "jailed"][s[1] > s[0]] for s in scores]
    assert found.other_top == sum(top != old for top, (_, old) in zip(tops, logged, strict=True))


def test_it_goes_on_where_it_was_stopped(versions, post, monkeypatch):
    monkeypatch.setattr("predictor.trials.shadow._CHUNK", 10)
    post(items(45))
    model = version(versions, "1.1.0")
    stopped = replay(model, asked_since("arkham", None))
    assert [next(stopped), next(stopped)] == [10, 10]
    stopped.close()
    assert list(replay(model, asked_since("arkham", None))) == [0, 0, 10, 10, 5]
    assert Shadow.objects.count() == 45


def test_a_row_that_reaches_the_log_late_is_asked_too(versions, post):
    post(items(10))
    assert shadowed(versions, "1.1.0")[0] == 10
    late = entry(datetime.now(UTC) - timedelta(hours=1))
    Store(connection).insert([late], None)
    assert shadowed(versions, "1.1.0")[0] == 1


def test_two_at_once_ask_each_row_once(versions, post, monkeypatch):
    post(items(20))
    model = version(versions, "1.1.0")
    first = replay(model, asked_since("arkham", None))
    monkeypatch.setattr(Shadow.objects, "filter", lambda **_: Shadow.objects.none())
    assert sum(replay(model, asked_since("arkham", None))) == 20
    assert sum(first) == 20, "it did not know of the other"
    assert Shadow.objects.count() == 20


def test_what_the_candidate_refuses_is_counted_by_reason(versions, models_dir, post, capsys):
    post({**ITEM, "city": "Gotham"})
    post([{**ITEM, "city": "Metropolis"}] * 2)
    narrow = LOOKUP | {"city": {"Gotham": 0, "Star City": 1}}
    bundles.install(models_dir, version="2.0.0", lookup=narrow)
    call_command("shadow", "arkham", "2.0.0")
    said = capsys.readouterr().out
    assert "2 have no answer of 2.0.0:\n    2: " in said
    assert "Metropolis" in said
    assert Shadow.objects.exclude(refused="").count() == 2


@pytest.mark.slow
def test_another_set_of_features_is_refused_or_answered(versions, models_dir, post):
    post(items(5))
    more = dict(LOOKUP) | {"mask": {"yes": 0, "no": 1}}
    estimator = LogisticRegression().fit([[0, 0, 0, 0], [1, 1, 1, 1]], [0, 1])
    bundles.install(models_dir, version="2.0.0", lookup=more, estimator=estimator)
    _, (found,) = shadowed(versions, "2.0.0")
    assert (found.asked, found.refused, found.answered, found.mean) == (5, 5, 0, 0)


@pytest.mark.parametrize("setting", ["LOG_LEAVES_OUT", "LOG_HASHES"])
def test_what_the_log_does_not_keep_cannot_be_asked_again(versions, post, settings, setting):
    post(ITEM)
    setattr(settings, setting, ["arkham.villain", "titanic.sex"])
    with pytest.raises(CommandError, match=f"does not keep villain as it was.*{setting}"):
        call_command("shadow", "arkham", "1.1.0")
    assert not Shadow.objects.exists()
    setattr(settings, setting, ["titanic.sex"])
    call_command("shadow", "arkham", "1.1.0")


def test_a_hash_of_earlier_settings_is_not_asked(versions, post, settings):
    settings.LOG_HASHES = ["arkham.villain"]
    post(ITEM)
    settings.LOG_HASHES = []
    _, (found,) = shadowed(versions, "1.1.0")
    assert list(found.refusals) == ["the log holds a hash of what was asked"]


def test_an_empty_log_is_no_success(versions):
    with pytest.raises(CommandError, match="the log holds nothing that was asked of arkham"):
        call_command("shadow", "arkham", "1.1.0")


def test_an_age_that_is_none_is_refused(versions):
    with pytest.raises(CommandError, match="--since: 'soon' is no age"):
        call_command("shadow", "arkham", "1.1.0", since="soon")


@pytest.mark.slow
def test_what_is_older_than_a_version_is_replay(versions, models_dir, post, capsys):
    post(items(60))
    young = METADATA | {"created": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    bundles.install(models_dir, version="1.2.0", estimator=bundles.fitted(2), metadata=young)
    came_true("escapes")
    call_command("shadow", "arkham", "1.2.0")
    said = capsys.readouterr().out
    assert "evidence: 0 answers given after both were made; 60 older ones are replay" in said
    assert "log loss over 60 outcomes" in said, "shown, though it proves nothing"
    assert "proof: none" in said


def test_a_version_of_unknown_age_proves_nothing(versions, models_dir, post, capsys):
    post(items(60))
    undated = METADATA | {"created": "last spring"}
    bundles.install(models_dir, version="1.2.0", estimator=bundles.fitted(2), metadata=undated)
    call_command("shadow", "arkham", "1.2.0")
    assert "no evidence: 1.2.0 does not say when it was made" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-01-02T03:04:05+00:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 3, tzinfo=UTC)),
        ("yesterday", None),
        (20260102, None),
        (None, None),
    ],
)
def test_when_a_version_was_made(said, moment):
    assert created({"created": said}) == moment


@pytest.mark.slow
def test_outcomes_prove_a_candidate_worse(versions, models_dir, post, capsys):
    """1.2.0 states the contrary of 1.0.0, and 1.0.0 is right."""
    estimator = bundles.fitted(0)
    swapped = type(estimator)()
    swapped.__dict__.update(estimator.__dict__)
    swapped.coef_, swapped.intercept_ = -estimator.coef_ * 3, -estimator.intercept_ - 4
    bundles.install(models_dir, version="1.2.0", estimator=swapped)
    post(items(300))
    came_true()
    call_command("shadow", "arkham", "1.2.0")
    said = capsys.readouterr().out
    assert "proven worse: difference in log loss" in said
    assert "proven worse: difference in Brier score" in said
    names = [(v, version(models_dir, v).sha256) for v in ("1.2.0", "1.0.0")]
    assert paired_losses("arkham", *names).proof_of_worse(0.0005) is not None
    assert paired_losses("arkham", *names[::-1]).proof_of_worse(0.0005) is None
    later = time_of(Prediction.objects.first().pk) + timedelta(seconds=1)
    assert paired_losses("arkham", *names, later).count == 0


@pytest.mark.slow
def test_both_ways_of_asking_count(versions, models_dir, post):
    """The other version replays the candidate's cases from a trial, and the reverse."""
    post(items(60))
    activate("arkham", "1.1.0", "Alfred")
    serving().refresh()
    post(items(60))
    came_true("escapes")
    names = []
    for name in ("1.1.0", "1.0.0"):
        names.append((name, version(models_dir, name).sha256))
        shadowed(versions, name)
    forth, back = paired_losses("arkham", *names), paired_losses("arkham", *names[::-1])
    assert forth.count == back.count == 120
    assert forth.strict_interval().mean == pytest.approx(-back.strict_interval().mean)


def test_promises_are_counted_by_label(versions, post):
    post(items(300))
    came_true("escapes")
    model = version(versions, "1.0.0")
    overall, *slices = promises_of("arkham", model.contract, model.sha256)
    assert (overall.feature, overall.count, overall.happened) == ("", 300, 0)
    assert not overall.is_kept
    assert {one.feature for one in slices} == {"city", "villain"}
    assert promises_of("arkham", model.contract, "0" * 64) == []


def test_what_is_pruned_leaves_no_shadow(versions, post):
    post(items(10))
    shadowed(versions, "1.1.0")
    prune(timedelta(seconds=-5))
    assert not Shadow.objects.exists()
    assert not Outcome.objects.exists()
