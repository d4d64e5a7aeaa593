"""A share of callers meets a candidate: always the same ones, in every worker, until it ends."""

import shutil
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from predictor.keys.models import ApiKey
from predictor.models import Prediction, Trial
from predictor.serving.activation import ActivationError, activate, roll_back
from predictor.serving.canary import end_trial, place_of
from predictor.serving.current import serving
from predictor.serving.trial import try_version
from tests import bundles
from tests.bundles import ITEM, LOOKUP, METADATA
from tests.tensors import tensors


@pytest.fixture
def versions(models_dir):
    """Arkham 1.0.0, which answers, and 1.1.0, which answers otherwise."""
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))
    activate("arkham", "1.0.0", "Alfred")
    assert serving().active().version == "1.0.0"
    return models_dir


def began(share=0.5, **options):
    trial = try_version("arkham", "1.1.0", share, "Alfred", **options)
    serving().refresh()
    return trial


def met(post, reference, body=ITEM):
    return post(body, **({"X-Reference": reference} if reference else {}))["X-Model-Version"]


def callers(trial):
    """A reference that meets the candidate, and one that does not."""
    places = {f"case {n}": place_of(trial.pk, f"case {n}") < trial.share for n in range(50)}
    return [next(name for name, is_in in places.items() if is_in is wanted)
            for wanted in (True, False)]  # fmt: skip


@pytest.mark.parametrize(
    ("trial", "key", "place"),
    [
        (7, "order-77", 0.542680626397),
        (7, "batman", 0.034150440987),
        (8, "batman", 0.230268456674),
    ],
)
def test_the_place_of_a_caller_is_the_same_everywhere(trial, key, place):
    assert place_of(trial, key) == pytest.approx(place, abs=5e-13)


@pytest.mark.slow
def test_the_split_is_as_wide_as_it_says():
    taken = sum(place_of(7, str(n)) < 0.05 for n in range(100_000))
    assert abs(taken - 5_000) < 4 * (100_000 * 0.05 * 0.95) ** 0.5


def test_it_works(versions, post):
    trial = began()
    chosen, other = callers(trial)
    assert [met(post, chosen) for _ in range(5)] == ["1.1.0"] * 5
    assert [met(post, other) for _ in range(5)] == ["1.0.0"] * 5
    assert met(post, chosen, [ITEM] * 20) == "1.1.0"
    by_version = Prediction.objects.filter(reference=chosen).values_list("version", flat=True)
    assert set(by_version) == {"1.1.0"}
    end_trial("arkham", "Alfred", "seen enough")
    serving().refresh()
    assert met(post, chosen) == "1.0.0"
    trial.refresh_from_db()
    assert (trial.ended_by, trial.ended_because, trial.is_over) == ("Alfred", "seen enough", True)


def test_tensors_meet_it_where_they_name_no_version(versions):
    chosen, _ = callers(began())
    body, headers = {"inputs": tensors(ITEM, ITEM)}, {"X-Reference": chosen}
    for path, version in (("", "1.1.0"), ("/versions/1.0.0", "1.0.0")):
        answer = Client().post(
            f"/v2/models/arkham{path}/infer", body, "application/json", headers=headers
        )
        assert answer["X-Model-Version"] == answer.json()["model_version"] == version
    assert Client().get("/v2/models/arkham/versions/1.1.0").status_code == 404


def test_a_file_meets_one_version(versions):
    chosen, _ = callers(began())
    lines = "city,villain,hour\n" + "Gotham,Joker,3\n" * 30
    headers = {"X-Reference": chosen}
    answer = Client().post("/api/predict", lines, content_type="text/csv", headers=headers)
    assert answer.getvalue().count(b"\n") == 31
    assert {*Prediction.objects.values_list("version", flat=True)} == {"1.1.0"}


@pytest.mark.slow
def test_callers_without_a_name_meet_each_version_now_and_then(versions, post):
    began(0.5)
    assert {met(post, "") for _ in range(60)} == {"1.0.0", "1.1.0"}


def test_a_key_stands_for_its_caller(versions, settings):
    settings.API_KEY_REQUIRED = True
    client, trial = Client(), began(0.5)
    for n in range(6):
        _, key = ApiKey.objects.create_key(name=f"caller {n}")
        sent = {"X-API-Key": key}
        met = {
            client.post("/api/predict", ITEM, content_type="application/json", headers=sent)[
                "X-Model-Version"
            ]
            for _ in range(3)
        }
        assert met == {"1.1.0" if place_of(trial.pk, f"caller {n}") < 0.5 else "1.0.0"}


def test_pages_never_meet_it(versions, client):
    began(1)
    client.post("/arkham/", ITEM)
    assert {*Prediction.objects.values_list("version", flat=True)} <= {"1.0.0"}
    assert client.get("/api/info").json()["version"] == "1.0.0"


def test_it_survives_a_restart(versions, post):
    chosen, _ = callers(began())
    serving.cache_clear()
    serving().warm()
    assert met(post, chosen) == "1.1.0"


def test_it_ends_by_itself(versions, post):
    trial = began(1, lasts=timedelta(days=1))
    assert met(post, "any") == "1.1.0"
    canary = serving().trials["arkham"]
    assert canary.takes("any")
    Trial.objects.filter(pk=trial.pk).update(ends=timezone.now() - timedelta(seconds=1))
    serving().refresh()
    assert met(post, "any") == "1.0.0"
    began()  # a trial whose time is over does not prevent another
    assert Trial.objects.filter(ended=None).count() == 1


@pytest.mark.parametrize("decide", [lambda: activate("arkham", "1.1.0", "Alfred"),
                                    lambda: roll_back("arkham", "Alfred")])  # fmt: skip
def test_another_decision_ends_it(versions, decide):
    trial = began()
    decide()
    trial.refresh_from_db()
    assert "was put in service" in trial.ended_because


def test_only_one_is_tried_at_a_time(versions):
    began()
    with pytest.raises(ActivationError, match=r"1\.1\.0 is being tried"):
        began()


def test_it_rejects_what_cannot_be_tried(versions, settings, models_dir):
    with pytest.raises(ActivationError, match=r"1\.0\.0 answers all callers already"):
        try_version("arkham", "1.0.0", 0.1, "Alfred")
    for share in (0, -0.1, 1.01, float("nan")):
        with pytest.raises(ActivationError, match="above 0"):
            try_version("arkham", "1.1.0", share, "Alfred")
    (models_dir / "arkham/1.1.0/model.pkl").write_bytes(b"no pickle")
    with pytest.raises(ActivationError, match="it cannot be served"):
        try_version("arkham", "1.1.0", 0.1, "Alfred")
    settings.MODEL_VERSION = "1.0.0"
    serving.cache_clear()
    with pytest.raises(ActivationError, match="pinned"):
        try_version("arkham", "1.1.0", 0.1, "Alfred")
    assert not Trial.objects.exists()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"flags": ["flees", "jailed"], "metadata": {}}, "hour, escapes, flees"),
        ({"lookup": LOOKUP | {"city": {"Gotham": 0, "Metropolis": 1, "Star City": 2}}}, "city"),
        ({"metadata": METADATA | {"features": {"hour": {"minimum": 0, "maximum": 11}}}}, "hour"),
    ],
)
def test_it_rejects_another_contract(versions, models_dir, changed, named):
    bundles.install(models_dir, version="2.0.0", **changed)
    with pytest.raises(ActivationError, match=f"another contract \\({named}"):
        try_version("arkham", "2.0.0", 0.1, "Alfred")


def test_other_titles_are_no_other_contract(versions, models_dir):
    features = METADATA["features"] | {"villain": {"title": "Who", "help": "Somebody."}}
    bundles.install(
        models_dir, version="2.0.0", metadata=METADATA | {"title": "New", "features": features}
    )
    assert try_version("arkham", "2.0.0", 0.1, "Alfred").version == "2.0.0"


def test_a_candidate_that_cannot_be_loaded_here_costs_no_answer(versions, models_dir, post):
    try_version("arkham", "1.1.0", 1, "Alfred")
    shutil.rmtree(models_dir / "arkham/1.1.0")
    bundles.install(models_dir, version="1.1.0", estimator=bundles.fitted(5))
    serving().refresh()
    assert met(post, "any") == "1.0.0"


def test_without_a_trial_a_request_costs_no_more(versions, post, monkeypatch):
    def never(*args):
        raise AssertionError("nothing is tried")

    monkeypatch.setattr("predictor.serving.current.Serving.version_for", never)
    monkeypatch.setattr("predictor.api.predict_view.trial_key", never)
    assert met(post, "any") == "1.0.0"


def test_the_command(versions, capsys):
    call_command("try_model", "arkham", "1.1.0", share=5, until="14d")
    assert "arkham 1.1.0 for 5 % of callers until " in capsys.readouterr().out
    trial = Trial.objects.get()
    assert trial.share == pytest.approx(0.05)
    assert timedelta(days=13) < trial.ends - trial.started < timedelta(days=15)
    with pytest.raises(CommandError, match=r"no 1\.0\.0 of arkham is being tried"):
        call_command("try_model", "arkham", "1.0.0", end=True)
    call_command("try_model", "arkham", "--end", "--by", "Gordon (pipeline)", "--reason", "seen")
    assert Trial.objects.get().ended_by == "Gordon (pipeline)"
    with pytest.raises(CommandError, match="no version of arkham is being tried"):
        call_command("try_model", "arkham", end=True)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "--share"),
        ({"share": 0}, "above 0"),
        ({"share": 101}, "at most 100"),
        ({"share": 5, "until": "soon"}, "--until"),
    ],
)
def test_the_command_says_what_is_wrong(versions, given, problem):
    with pytest.raises(CommandError, match=problem):
        call_command("try_model", "arkham", "1.1.0", **given)
