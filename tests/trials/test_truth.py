"""Recorded outcomes become cases that a model is judged on."""

import csv
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from predictor.evidence.cases import read_cases
from predictor.log.outcomes import record_outcome
from predictor.models import Prediction, Verdict
from tests import bundles
from tests.bundles import ITEM, LOOKUP
from tests.trials.outcomes import came_true

pytestmark = pytest.mark.django_db
RULES = """
[better_than.constant]
at_least = 0.0
[judge]
fewest_clusters = 5
"""


def answered(post, count=30):
    for hour in range(count):
        post({**ITEM, "hour": hour % 24, "villain": list(LOOKUP["villain"])[hour % 4]})
    for row in Prediction.objects.all():
        record_outcome(row.pk, "jailed" if row.inputs["villain"] == "Joker" else "escapes")


def test_it_works(arkham, post, tmp_path, capsys):
    answered(post)
    file = tmp_path / "truth.csv"
    call_command("export_truth", "arkham", str(file))
    assert "30 outcomes as cases of arkham 1.0.0" in capsys.readouterr().out
    cases = read_cases(file.read_bytes(), LOOKUP, bundles.FLAGS)
    assert sum(cases.sizes) == 30
    assert set(cases.periods) == {f"{datetime.now(UTC):%Y-%m}"}
    assert cases.rows[0] == ("Gotham", "Joker", "0")
    assert cases.counts[0] == (0, 1)


@pytest.mark.slow
def test_a_model_is_judged_on_them(arkham, post, tmp_path, capsys):
    answered(post)
    file, rules = tmp_path / "truth.csv", tmp_path / "rules.toml"
    rules.write_text(RULES)
    call_command("export_truth", "arkham", str(file))
    with pytest.raises(SystemExit):
        call_command("judge_model", "arkham", "1.0.0", cases=file, rules=rules)
    assert "better than constant" in capsys.readouterr().out
    assert Verdict.objects.get().result == "refused"


def test_equal_cases_are_counted(arkham, post, tmp_path):
    post([ITEM] * 3)
    for number, row in enumerate(Prediction.objects.all()):
        record_outcome(row.pk, bundles.FLAGS[number % 2])
    file = tmp_path / "truth.csv"
    call_command("export_truth", "arkham", str(file), counts=True)
    (row,) = csv.DictReader(file.read_text().splitlines())
    assert (row["escapes"], row["jailed"]) == ("2", "1")
    assert read_cases(file.read_bytes(), LOOKUP, bundles.FLAGS).counts == [(2, 1)]


@pytest.mark.slow
def test_a_feature_called_outcome_is_no_outcome(models_dir, post, tmp_path):
    lookup = {"outcome": {"good": 0, "bad": 1}, "period": {"day": 0, "night": 1}, "hour": 0}
    bundles.install(models_dir, lookup=lookup, metadata={})
    post([{"outcome": "good", "period": "day", "hour": 3}] * 2)
    came_true("jailed")
    file = tmp_path / "truth.csv"
    call_command("export_truth", "arkham", str(file))
    cases = read_cases(file.read_bytes(), lookup, bundles.FLAGS)
    assert cases.rows == [("good", "day", "3")]
    assert cases.counts == [(0, 2)]


def test_what_the_version_would_refuse_is_left_out_and_counted(arkham, models_dir, post, tmp_path,
                                                               capsys):  # fmt: skip
    post([ITEM, {**ITEM, "city": "Metropolis"}])
    came_true("jailed")
    bundles.install(models_dir, version="2.0.0", lookup=LOOKUP | {"city": {"Gotham": 0, "X": 1}})
    file = tmp_path / "truth.csv"
    call_command("export_truth", "arkham", str(file), "--asked", "2.0.0")
    said = capsys.readouterr()
    assert "1 outcome as cases of arkham 2.0.0" in said.out
    assert "1 more is left out" in said.err


def test_none_is_written_where_there_is_none(arkham, post, tmp_path, settings):
    file = tmp_path / "truth.csv"
    with pytest.raises(CommandError, match=r"no outcome of arkham 1\.0\.0 is on record"):
        call_command("export_truth", "arkham", str(file))
    assert not file.exists()
    settings.LOG_HASHES = ["arkham.city"]
    with pytest.raises(CommandError, match="does not keep city as it was"):
        call_command("export_truth", "arkham", str(file))
