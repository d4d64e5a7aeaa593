"""python -m training.crime: the two crime models."""

import gzip
import json
import shutil
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.version import load_version
from tests.lengths import length
from tests.training.streets import REPOSITORY
from tests.training.trained import train_once
from training import crime
from training.cells import ANY_FORCE, by_caught, coverage, split_by_time, usable_cells
from training.crime import FIGURES
from training.figures import Cell, FiguresError, read_figures, write_figures
from training.lessons import rising
from training.outcome_groups import CAUGHT, GROUPS, Group, group_of

pytestmark = pytest.mark.slow

KENT = {"force": "Kent Police", "crime": "Burglary", "month": 10}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads would only wait for one another where the tests run side by side."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def models(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(trained("crime"), folder / "crime/1.0.0")
    return folder


@pytest.fixture(scope="module")
def model(models):
    return load_version(models / "crime/1.0.0")


def caught(model, *items):
    """The share caught, for each case that differs from KENT in this way."""
    return np.array(model.score([model.encoder.encode(KENT | item) for item in items]))[:, 1]


def test_it_works(model):
    assert model.contract.flag_names == ["notCaughtProb", "caughtProb"]
    assert [flag.title for flag in model.contract.flags] == ["Gets away", "Caught"]
    assert list(model.contract.params()) == ["force", "crime", "month"]
    assert model.contract.params()["month"] == 0
    assert caught(model, KENT) == pytest.approx([0.07], abs=0.03)
    assert not model.warnings


def test_its_quality_on_the_last_quarter(model):
    metrics = model.metadata["metrics"]
    assert metrics["crimes"] == 717_328
    assert metrics["log_loss"] <= 0.3632
    assert metrics["auc"] >= 0.745
    assert metrics["calibration_error"] <= 0.006
    assert metrics["log_loss_of_constant"] == pytest.approx(0.42556, abs=1e-5)
    assert metrics["log_loss_of_crime_rates"] == pytest.approx(0.3695, abs=1e-5)
    assert metrics["log_loss_of_perfect_rates"] < metrics["log_loss"]


def test_its_intervals_are_honest(model):
    metrics = model.metadata["metrics"]
    assert metrics["interval_coverage_lowest"] >= 0.93
    assert metrics["interval_coverage_highest"] <= 0.97


def test_its_slices_are_measured(model):
    slices = model.metadata["slices"]
    assert abs(slices[0]["gap"]) == max(abs(each["gap"]) for each in slices)
    large = [each for each in slices if each["feature"] == "force" and each["n"] >= 10_000]
    assert len(large) > 20
    assert max(abs(each["gap"]) for each in large) <= 0.03
    narrow = [each["label"] for each in slices if each["cells"] >= 30 and each["coverage"] < 0.88]
    assert narrow == []


def test_it_carries_its_verdict_and_where_it_comes_from(models, model):
    verdict = model.metadata["verdict"]
    assert (verdict["result"], verdict["judged"]) == ("passed", "twin")
    cases = (models / "crime/1.0.0/cases.csv").read_bytes()
    assert verdict["cases_sha256"] == sha256(cases).hexdigest()
    assert model.metadata["untested"] == {"month": list(range(1, 13))}
    assert len(model.metadata["origin"]["code_sha256"]) == 64


def test_a_force_that_hides_ever_more_is_less_sure():
    """Gloucestershire hid 4 % of its outcomes in January, 14 % in September, 35 % in December."""
    figures = read_figures(FIGURES)
    before, _ = split_by_time(usable_cells(figures))
    found = rising(before, figures)
    assert max(found, key=found.__getitem__) == "Gloucestershire Constabulary"
    assert found["Gloucestershire Constabulary"] == pytest.approx(0.086, abs=0.001)
    assert "Cumbria Constabulary" not in found  # up to 66 % in a month, but to and fro


def test_drugs_are_far_above_bicycle_theft_everywhere(model):
    forces = model.contract.params()["force"]
    drugs = caught(model, *({"force": force, "crime": "Drugs"} for force in forces))
    bicycles = caught(model, *({"force": force, "crime": "Bicycle theft"} for force in forces))
    assert (drugs > bicycles + 0.25).all()


def test_any_force_is_the_national_rate(model):
    cells = by_caught(usable_cells(read_figures(FIGURES)))
    national = cells.groupby(level=["period", "crime"]).sum()
    cases = [
        {"force": ANY_FORCE, "crime": name, "month": int(period[5:])}
        for period, name in national.index
    ]
    rates = national["caught"] / national.sum(axis=1)
    assert caught(model, *cases) == pytest.approx(rates.to_numpy(), abs=0.03)


def test_absent_forces_are_sent_to_any_force(model):
    for force in ("Metropolitan Police", "West Yorkshire Police", "Greater Manchester Police"):
        with pytest.raises(InvalidInput) as refusal:
            model.encoder.encode(KENT | {"force": force})
        assert refusal.value.errors[0].suggestion == ANY_FORCE
    with pytest.raises(InvalidInput) as refusal:
        model.encoder.encode(KENT | {"force": "Kent Polic"})
    assert refusal.value.errors[0].suggestion == "Kent Police"


def test_forces_of_low_coverage_are_marked(model):
    marked = model.metadata["features"]["force"]["labels"]
    assert list(marked) == ["Avon and Somerset Constabulary", "Northumbria Police"]
    assert marked["Northumbria Police"] == "Northumbria Police (57% of outcomes known)"


def test_every_answer_has_support_around_it(model):
    params = model.contract.params()
    cases = [
        KENT | {"force": force, "crime": name}
        for force in params["force"]
        for name in params["crime"]
    ]
    rows = [model.encoder.encode(case) for case in cases]
    for row, score in zip(rows, np.array(model.score(rows))[:, 1], strict=True):
        low, high = model.support_of(row).interval["caughtProb"]
        assert 0 <= low <= score + 1e-4
        assert score - 1e-4 <= high <= 1


def test_support_grows_narrower_with_more_crimes(model):
    def width(**item):
        support = model.support_of(model.encoder.encode(KENT | item))
        low, high = support.interval["caughtProb"]
        return support.n, high - low

    kent, kent_width = width(crime="Shoplifting")
    london, london_width = width(force="City of London Police", crime="Shoplifting")
    assert london < kent / 5
    assert london_width > kent_width
    total, spread_of_forces = width(force=ANY_FORCE, crime="Shoplifting")
    assert total > 10 * kent
    assert spread_of_forces > kent_width


@pytest.mark.slow
def test_the_same_data_and_seed_give_the_same_scores(models, model, tmp_path):
    again = load_version(train_once(tmp_path, "crime"))
    rows = [model.encoder.encode(KENT | {"month": month}) for month in range(1, 13)]
    assert np.array_equal(again.score(rows), model.score(rows))
    first, second = (folder / "crime/1.0.0" for folder in (models, tmp_path))
    for name in ("model.pkl", "lookup.pkl", "flags.pkl", "support.json", "cases.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_check_compares_with_what_is_there(models, tmp_path, capsys):
    crime.main([str(models), "--check"])
    assert "all 6,240 answers agree" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        crime.main([str(tmp_path), "--check"])
    assert "there is no folder" in str(stop.value)


def test_check_tells_another_model(tmp_path):
    trained(tmp_path, halved(FEW))
    write_figures(tmp_path / "figures.csv", FEW)
    with pytest.raises(SystemExit) as stop:
        crime.main([str(tmp_path), "--figures", str(tmp_path / "figures.csv"), "--check"])
    assert "answers otherwise" in str(stop.value)
    assert "it learnt from other figures" in str(stop.value)


def test_check_tells_other_intervals(tmp_path):
    trained(tmp_path, FEW)
    path = tmp_path / "crime/1.0.0/support.json"
    table = json.loads(path.read_text())
    table["interval"]["caughtProb"]["high"][7] = 1.0
    path.write_text(json.dumps(table))
    metadata = tmp_path / "crime/1.0.0/metadata.json"
    described = json.loads(metadata.read_text())
    described["files"]["support.json"] = {"sha256": sha256(path.read_bytes()).hexdigest()}
    metadata.write_text(json.dumps(described))
    with pytest.raises(SystemExit, match=r"support\.json has other intervals"):
        crime.main([str(tmp_path), "--figures", str(tmp_path / "figures.csv"), "--check"])


def halved(figures):
    """The figures, less half of those who were dealt with on the spot."""
    return {
        cell: count // 2 if cell.outcome == "Local resolution" else count
        for cell, count in figures.items()
    }


def test_metadata_says_where_the_data_is_from(models):
    metadata = json.loads((models / "crime/1.0.0/metadata.json").read_text())
    assert metadata["data"]["licence"] == "Open Government Licence v3.0"
    assert metadata["data"]["rows"] == 2_975_860
    assert metadata["data"]["period"] == "2025-01 to 2025-12"
    with gzip.open(FIGURES) as packed:
        assert metadata["data"]["figures_sha256"] == sha256(packed.read()).hexdigest()
    assert set(metadata["libraries"]) == {"numpy", "pandas", "scikit-learn", "scipy"}
    assert metadata["features"]["month"]["labels"]["10"] == "October"
    for shares in metadata["baseline"].values():
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert set(metadata["files"]) == {
        "model.pkl", "lookup.pkl", "flags.pkl", "support.json", "cases.csv",
    }  # fmt: skip


def test_limits_are_those_of_the_figures(model, tmp_path):
    said = " ".join(model.metadata["limits"])
    for words in (
        "Not for policing, insurance, sentencing, or any decision about a person.",
        "no league table",
        "Months missing, of 12: Avon and Somerset Constabulary 6, ",
        " Thames Valley Police 1.",
        "known of Avon and Somerset Constabulary and Northumbria Police",
        "Of Avon and Somerset Constabulary the outcomes that are not known are counted as not",
        "All figures are of 2025",
        "Without outcomes: Metropolitan Police Service",
    ):
        assert words in said
    other = " ".join(trained(tmp_path, FEW).metadata["limits"])
    assert "Months missing" not in other
    assert "Northumbria" not in other


def test_it_rejects_a_version_that_exists(models):
    before = (models / "crime/1.0.0/metadata.json").read_bytes()
    with pytest.raises(SystemExit) as stop:
        crime.main([str(models)])
    assert "versions are final" in str(stop.value)
    assert (models / "crime/1.0.0/metadata.json").read_bytes() == before


def few():
    """The figures of two forces."""
    forces = ("Essex Police", "Kent Police")
    return {c: n for c, n in read_figures(FIGURES).items() if c.force in forces}


def trained(tmp_path, figures, *options):
    """The version that ``figures`` give."""
    write_figures(tmp_path / "figures.csv", figures)
    crime.main([str(tmp_path), "--figures", str(tmp_path / "figures.csv"), *options])
    name = "crime-outcomes" if "--outcomes" in options else "crime"
    return load_version(tmp_path / name / "1.0.0")


FEW = few()
JANUARY = {c: n for c, n in FEW.items() if c.month == "2025-01"}
REFUSED = {
    "nothing known": ({Cell("2025-01", "Kent Police", "Drugs", ""): 9}, "no crime with a known outcome"),  # noqa: E501
    "unknown outcome": ({Cell("2025-01", "Kent Police", "Drugs", "Escaped"): 9}, "unknown outcome 'Escaped'"),  # noqa: E501
    "one month": (JANUARY, "once 2025-01 to 2025-01 are held back"),
    "two quarters": ({c: n for c, n in FEW.items() if c.month < "2025-07"}, "once 2025-01 to 2025-03 are held back"),  # noqa: E501
    "nobody caught": ({c: n for c, n in FEW.items() if group_of(c.outcome) not in CAUGHT}, "none has the outcome 'caught'"),  # noqa: E501
    "few crimes": ({c: min(n, 2) for c, n in FEW.items()}, "no force recorded 30 crimes of one type"),  # noqa: E501
    "a force of that name": (FEW | {Cell("2025-01", ANY_FORCE, "Drugs", "Local resolution"): 9}, "a force called 'Any force'"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize(("figures", "said"), REFUSED.values(), ids=list(REFUSED))
def test_it_rejects_figures_it_cannot_learn_from(tmp_path, figures, said):
    with pytest.raises(SystemExit) as stop:
        trained(tmp_path, figures)
    assert said in str(stop.value)
    assert not (tmp_path / "crime").exists()


def test_it_rejects_figures_that_lack_one_of_the_seven_outcomes(tmp_path):
    early = {c: n for c, n in FEW.items() if group_of(c.outcome) is not Group.PASSED_ON}
    with pytest.raises(SystemExit, match="none has the outcome 'Passed to another agency'"):
        trained(tmp_path, early, "--outcomes")


def test_one_force_is_enough(tmp_path, capsys):
    essex = {cell: count for cell, count in FEW.items() if cell.force == "Essex Police"}
    with pytest.raises(SystemExit) as stop:  # the rules are those of a national model
        trained(tmp_path, essex)
    assert stop.value.code == 3
    assert "warning: the force 'Kent Police' is gone" in capsys.readouterr().err
    model = trained(tmp_path, essex, "--force", "--reason", "one force only")
    assert model.contract.params()["force"] == [ANY_FORCE, "Essex Police"]
    assert "default" not in model.metadata["features"]["force"]
    assert "British Transport Police" in model.metadata["features"]["force"]["unlisted"]


def test_outcomes_that_changed_places_all_year_are_stopped(tmp_path):
    swap = {"Local resolution": "Unable to prosecute suspect",
            "Unable to prosecute suspect": "Local resolution"}  # fmt: skip
    wrong = {c._replace(outcome=swap.get(c.outcome, c.outcome)): n for c, n in FEW.items()}
    with pytest.raises(SystemExit, match="outcomes are unlike those of the known figures"):
        trained(tmp_path, wrong)
    assert not (tmp_path / "crime").exists()
    write_figures(tmp_path / "known.csv", wrong)
    with pytest.raises(SystemExit) as stop:  # two forces are too few for the rules
        trained(tmp_path, wrong, "--against", str(tmp_path / "known.csv"))
    assert stop.value.code == 3


def test_a_force_and_a_crime_new_in_the_last_quarter_are_learnt(tmp_path):
    new = {
        Cell("2025-12", force, name, outcome): count
        for force, name in (("Gotham Police", "Drugs"), ("Kent Police", "Piracy"))
        for outcome, count in (("Local resolution", 40), ("Unable to prosecute suspect", 60))
    }
    with pytest.raises(SystemExit, match=r"'Gotham Police' .* is no force of data\.police\.uk"):
        trained(tmp_path, FEW | new)
    model = trained(tmp_path, FEW | new, "--force", "--reason", "a new force")
    assert "'Gotham Police' (2025-12) is no force" in model.metadata["data"]["stopped_by"]
    assert {"Gotham Police"} < set(model.contract.params()["force"])
    assert {"Piracy"} < set(model.contract.params()["crime"])
    numbers = [value for value in model.metadata["metrics"].values() if not isinstance(value, str)]
    assert np.isfinite(numbers).all()


def test_two_years_are_learnt_together(tmp_path):
    year_before = {c._replace(month=f"2024{c.month[4:]}"): n for c, n in FEW.items()}
    one = trained(tmp_path / "one", FEW)
    # the same year twice: intervals that always hold are refused as well
    two = trained(tmp_path / "two", FEW | year_before, "--force", "--reason", "made up")
    assert two.metadata["data"]["period"] == "2024-01 to 2025-12"
    assert two.metadata["metrics"]["tested_on"].startswith("2025-10 to 2025-12")
    row = one.encoder.encode(KENT)
    assert two.support_of(row).n == 2 * one.support_of(row).n


def test_a_full_disk_leaves_no_version(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    write_figures(tmp_path / "figures.csv", FEW)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SystemExit, match="No space left on device"):
        crime.main([str(tmp_path), "--figures", str(tmp_path / "figures.csv")])
    assert not list((tmp_path / "crime").iterdir())


def test_the_last_quarter_is_held_back_by_the_calendar():
    cells = usable_cells(read_figures(FIGURES))
    few = cells[cells.index.get_level_values("period").isin(["2025-01", "2025-04", "2025-07"])]
    before, after = split_by_time(few)
    assert list(before.index.unique("period")) == ["2025-01", "2025-04"]
    assert list(after.index.unique("period")) == ["2025-07"]
    with pytest.raises(FiguresError, match="2025-07 are held back"):
        split_by_time(after)


def test_coverage_is_low_for_exactly_two_forces():
    known = coverage(read_figures(FIGURES))
    assert sorted(known[known < 0.75].index) == [
        "Avon and Somerset Constabulary", "Northumbria Police",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_seven_outcomes(trained, model):
    seven = load_version(trained("crime-outcomes"))
    assert seven.contract.flag_names == [str(group) for group in GROUPS]
    metrics = seven.metadata["metrics"]
    assert metrics["log_loss"] <= 1.0155
    assert metrics["log_loss_of_perfect_rates"] < metrics["log_loss"]
    assert metrics["interval_coverage_lowest"] >= 0.93
    assert metrics["interval_coverage_highest"] <= 0.98
    row = seven.encoder.encode(KENT)
    assert sum(seven.score([row])[0][:3]) == pytest.approx(caught(model, KENT)[0], abs=0.02)


@pytest.mark.slow
def test_the_card_compares_the_seven_outcomes_with_caught(trained):
    """On the cases of the held-out quarter, by the answers of the models that did not learn it."""
    one, seven = (pd.read_csv(trained(name) / "cases.csv") for name in ("crime", "crime-outcomes"))
    groups = [str(group) for group in GROUPS if group in CAUGHT]
    hits, sizes = one["caughtProb"], one[["notCaughtProb", "caughtProb"]].sum(axis=1)
    assert (seven[groups].sum(axis=1) == hits).all()
    alone, summed = one["twin:caughtProb"], seven[[f"twin:{group}" for group in groups]].sum(axis=1)

    def loss(stated):
        return -(hits * np.log(stated) + (sizes - hits) * np.log(1 - stated)).sum() / sizes.sum()

    apart = (alone - summed).abs()
    near = sizes[apart <= 0.02].sum() / sizes.sum()
    card = (REPOSITORY / "docs/models/crime-outcomes.md").read_text()
    _, _, said = " ".join(card.split()).partition("## Compared with `crime`")
    assert f"log loss {loss(summed):.5f} against {loss(alone):.5f}" in said
    assert f"For {near * 100:.0f} of 100 crimes the two are within two points" in said
    assert f"up to {apart.max() * 100:.0f} points apart" in said


@pytest.mark.slow
def test_four_months_are_enough(tmp_path):
    months = ("2025-01", "2025-04", "2025-07", "2025-10")
    figures = {c: n for c, n in read_figures(FIGURES).items() if c.month in months}
    write_figures(tmp_path / "figures.csv", figures)
    crime.main([str(tmp_path), "--figures", str(tmp_path / "figures.csv")])
    metrics = load_version(tmp_path / "crime/1.0.0").metadata["metrics"]
    assert metrics["tested_on"].startswith("2025-10 to 2025-10")
    assert metrics["log_loss"] < 0.38


MET = REPOSITORY.parent / "shared/data/met-burglary-2010-2025.csv.gz"
ERA = {"10": "2023-10", "11": "2023-11", "12": "2023-12", "01": "2024-01", "02": "2024-02"}


def another_era(figures):
    """Five months in which twice as many were caught, two years before the rest."""
    return {
        cell._replace(month=ERA[cell.month[5:]]): count * (1 + (group_of(cell.outcome) in CAUGHT))
        for cell, count in figures.items()
        if cell.month[5:] in ERA
    }


def real_months(first, last):
    if not MET.exists():
        pytest.skip(f"needs {MET.name}")
    return {c: n for c, n in read_figures(MET).items() if first <= c.month <= last}


ERAS = {
    "made, two years before": another_era,
    "real, seven years before": lambda _: real_months("2018-10", "2019-02"),
    "real, two years before": lambda _: real_months("2023-10", "2024-02"),
}
TRIED = dict(list(ERAS.items())[: length(1, 3)])  # each takes a whole training


@pytest.mark.parametrize("era", TRIED.values(), ids=list(TRIED))
def test_months_of_another_era_make_no_worse_model(model, tmp_path, era):
    figures = read_figures(FIGURES)
    write_figures(tmp_path / "figures.csv", figures | era(figures))
    taught = crime.train(crime.CAUGHT_OR_NOT, tmp_path / "figures.csv", force=True)
    alone = model.metadata["metrics"]
    assert taught.metadata["metrics"]["crimes"] == alone["crimes"]
    assert taught.metadata["metrics"]["log_loss"] <= alone["log_loss"] + 0.0005
