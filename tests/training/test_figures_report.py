"""python -m training.check_figures: checks figures before a model learns from them."""

import json
import subprocess
import sys

import pytest

from tests.training.streets import REPOSITORY
from training import check_figures
from training.crime import FIGURES
from training.figures import Cell, FiguresError, read_figures, write_figures
from training.figures_report import RULES, data_rules, examined
from training.outcome_groups import CAUGHT, UnknownOutcome, group_of
from training.vocabulary import FORCES, looks_like

RULES_OF_DATA = data_rules()
PARTS = {
    "Local resolution": 20,
    "Unable to prosecute suspect": 100,
    "Status update unavailable": 10,
}


def steady(months=None, forces=("Essex Police", "Kent Police"), crime="Drugs"):
    """The same outcomes month by month."""
    months = months or [f"2025-{month:02}" for month in range(1, 13)]
    return {
        Cell(month, force, crime, outcome): count
        for month in months
        for force in forces
        for outcome, count in PARTS.items()
    }


SWAP = {
    "Local resolution": "Unable to prosecute suspect",
    "Unable to prosecute suspect": "Local resolution",
}


def swapped(cell):
    return cell._replace(outcome=SWAP.get(cell.outcome, cell.outcome))


def found(figures, **limits):
    report = examined(figures, RULES_OF_DATA | limits)
    return [(finding.does, finding.sentence) for finding in report.findings]


def test_it_works(tmp_path, capsys):
    write_figures(tmp_path / "figures.csv", steady())
    for report in ("report.json", "report.html"):
        check_figures.main([str(tmp_path / "figures.csv"), "--report", str(tmp_path / report)])
    assert "nothing strange" in capsys.readouterr().out
    kept = json.loads((tmp_path / "report.json").read_text())
    assert kept["crimes"] == 3120
    assert kept["findings"] == []
    assert len(kept["figures_sha256"]) == 64
    assert "<h1>Figures: nothing strange</h1>" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_an_unknown_name_stops_with_what_it_looks_like(tmp_path, capsys):
    figures = steady() | {Cell("2025-11", "Kent Police", "Drugs ", "Local resolution"): 3}
    sentence = "'Drugs ' (2025-11) is no type of crime of data.police.uk; it looks like 'Drugs'"
    assert found(figures) == [("stop", sentence)]
    write_figures(tmp_path / "figures.csv", figures)
    with pytest.raises(SystemExit) as stop:
        check_figures.main([str(tmp_path / "figures.csv")])
    assert stop.value.code == 3
    assert sentence in capsys.readouterr().out
    strange = steady(forces=("Gotham Police",))
    assert "add it to training/vocabulary.py" in found(strange)[0][1]


def test_a_renamed_force_is_one_force():
    figures = steady(["2025-01"], ("Devon and Cornwall Constabulary",))
    figures |= steady(["2025-02"], ("Devon & Cornwall Police",))
    report = examined(figures, RULES_OF_DATA)
    assert {cell.force for cell in report.figures} == {"Devon & Cornwall Police"}
    assert "counted as 'Devon & Cornwall Police'" in report.findings[0].sentence


@pytest.mark.slow
def test_a_type_of_crime_of_another_time_is_left_out():
    figures = steady() | steady(["2025-01"], crime="Violent crime")
    report = examined(figures, RULES_OF_DATA)
    assert {cell.crime for cell in report.figures} == {"Drugs"}
    assert "'Violent crime' (2025-01 to 2025-01) is a type" in report.findings[0].sentence


@pytest.mark.slow
def test_young_months_are_held_back():
    figures = steady() | {
        Cell("2025-11", force, "Drugs", "Under investigation"): 20
        for force in ("Essex Police", "Kent Police")
    }
    report = examined(figures, RULES_OF_DATA)
    assert list(report.left_out) == ["2025-11", "2025-12"]
    assert "87% of the outcomes of 2025-11 are known, 90% are needed" in report.left_out["2025-12"]
    assert max(cell.month for cell in report.figures) == "2025-10"


@pytest.mark.slow
def test_old_months_are_left_out():
    report = examined(steady() | steady(["2018-10", "2023-01"]), RULES_OF_DATA)
    assert list(report.left_out) == ["2018-10"]
    assert [f.rule for f in report.findings] == ["memory", "missing_months"]
    assert "2023-02 to 2024-12" in report.findings[1].sentence


@pytest.mark.slow
def test_other_outcomes_from_one_month_to_the_next_stop():
    figures = {
        swapped(cell) if cell.month < "2025-10" else cell: count
        for cell, count in steady().items()
    }  # fmt: skip
    (does, sentence), *_ = found(figures)
    assert does == "stop"
    assert "outcomes of 2025-10 are unlike those of 2025-09" in sentence


@pytest.mark.slow
def test_jumps_and_what_is_hidden_are_warned_of():
    figures = steady()
    for outcome, count in PARTS.items():
        figures[Cell("2025-03", "Kent Police", "Drugs", outcome)] = 3 * count
        del figures[Cell("2025-06", "Essex Police", "Drugs", outcome)]
    figures[Cell("2025-09", "Kent Police", "Drugs", "Status update unavailable")] = 100
    said = [sentence for does, sentence in found(figures) if does == "warn"]
    assert said == [
        "Essex Police recorded no crime in 2025-06",
        "Kent Police recorded 390 crimes in 2025-03, 130 in its usual month",
        (
            "Kent Police does not say what became of 100 crimes of 2025-09 "
            "(45%; 8% in its usual month)"
        ),
    ]


@pytest.mark.slow
def test_last_year_is_compared_month_by_month():
    figures = steady() | {
        cell: count // 3 for cell, count in steady([f"2024-{m:02}" for m in range(1, 13)]).items()
    }
    said = found(figures, volume={"does": "off"})
    assert ("warn", "Kent Police recorded 130 crimes in 2025-05, 42 a year before") in said


def test_new_and_lost_names_beside_older_figures():
    report = examined(steady(), RULES_OF_DATA, steady(forces=("Kent Police", "Surrey Police")))
    assert [finding.sentence for finding in report.findings] == [
        "the force 'Essex Police' is new", "the force 'Surrey Police' is gone",
    ]  # fmt: skip


def test_two_types_of_crime_that_change_places_are_warned_of():
    figures = steady(crime="Drugs")
    for cell, count in steady(crime="Shoplifting").items():
        share = {"Local resolution": 80, "Unable to prosecute suspect": 40}.get(cell.outcome, count)
        figures[cell] = 2 * share
    swap = {"Drugs": "Shoplifting", "Shoplifting": "Drugs"}
    swapped = {
        cell._replace(crime=swap[cell.crime]) if cell.month < "2025-10" else cell: 2 * count
        for cell, count in figures.items()
    }
    quiet = {name: {"does": "off"} for name in ("mix", "mix_of_force", "copies")}
    assert [sentence.partition(":")[0] for _, sentence in found(swapped, **quiet)] == [
        "outcomes of Drugs change from 2025-09 to 2025-10",
        "outcomes of Shoplifting change from 2025-09 to 2025-10",
    ]


def test_a_type_of_crime_that_a_force_lacks_is_warned_of():
    figures = steady() | steady(crime="Burglary")
    kept = {
        cell: count for cell, count in figures.items()
        if cell[:3] != ("2025-06", "Kent Police", "Burglary")
    }  # fmt: skip
    assert found(kept) == [
        ("warn", "Kent Police recorded no 'Burglary' in 2025-06, 130 in its usual month")
    ]


def test_a_month_that_is_a_copy_of_another_is_warned_of():
    figures = {
        cell: (3 if cell.month == "2025-07" else 2) * count + (cell.month == "2025-05")
        for cell, count in steady(["2025-05", "2025-06", "2025-07", "2025-08"]).items()
    }
    assert found(figures, volume={"does": "off"}) == []  # too few to be no chance
    many = {cell: 3 * count for cell, count in figures.items()}
    said = "2025-08 has the very figures of 2025-06 for 2 forces, such as Essex Police"
    assert found(many, volume={"does": "off"}) == [("warn", f"{said}: one of the two is a copy")]


def test_all_forces_together_are_one_sentence_more():
    twice = {
        cell: count * (3 if cell.month == "2025-06" else 1) for cell, count in steady().items()
    }
    said = "all forces together recorded 780 crimes in 2025-06, 260 in its usual month"
    assert ("warn", said) in found(twice)


def test_a_month_to_come_stops_and_drives_no_other_out():
    report = examined(steady() | steady(["2999-01"]), RULES_OF_DATA)
    assert list(report.left_out) == ["2999-01"]
    assert report.stops[0].startswith("2999-01 left out: it is yet to come, for this is ")
    assert len({cell.month for cell in report.figures}) == 12


COPIES_ARE_FINE = {"copies": {"does": "off"}}  # of tables that are the same month by month


def beside(figures, known, **limits):
    report = examined(figures, RULES_OF_DATA | limits, known)
    return [(finding.does, finding.sentence) for finding in report.findings]


def test_outcomes_are_compared_with_known_ones():
    known = {cell: 10 * count for cell, count in steady().items()}
    wrong = {swapped(cell): count for cell, count in known.items()}
    (does, sentence), *more = beside(wrong, known, **COPIES_ARE_FINE)
    assert does == "stop"
    assert sentence.startswith("outcomes are unlike those of the known figures: population")
    assert [each.partition(" are")[0] for _, each in more] == [
        "outcomes of Drugs", "outcomes of Essex Police", "outcomes of Kent Police",
    ]  # fmt: skip
    one_force = {c: n for c, n in known.items() if c.force == "Essex Police"} | {
        c: n for c, n in wrong.items() if c.force == "Kent Police"
    }
    said = [each for _, each in beside(one_force, known, **COPIES_ARE_FINE)]
    assert "outcomes of Kent Police are unlike those of the known" in " ".join(said)
    assert "outcomes of Essex" not in " ".join(said)


def test_another_share_of_crimes_is_no_other_outcome():
    unlike = {cell: count if cell.outcome == "Local resolution" else 0
              for cell, count in steady(crime="Shoplifting").items()}  # fmt: skip
    known = {cell: 10 * count for cell, count in (steady() | unlike).items() if count}
    few_drugs = {c: n if c.crime == "Shoplifting" else n // 5 for c, n in known.items()}
    assert [does for does, _ in beside(few_drugs, known) if does == "stop"] == []


def test_sizes_are_compared_with_known_ones():
    many = {cell: 10 * count for cell, count in steady().items()}
    assert beside(many, steady(), **COPIES_ARE_FINE)[0] == (
        "warn",
        "Essex Police recorded 1,300 crimes in its usual month, 130 in that of the known figures",
    )


def test_a_former_name_is_no_new_force():
    known = steady(forces=("Devon and Cornwall Constabulary",))
    assert beside(steady(forces=("Devon & Cornwall Police",)), known) == []


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Kent Constabulary", "Kent Police"),
        ("essex  police", "Essex Police"),
        ("Kent\u00a0Police", "Kent Police"),
        ("Avon & Somerset Constabulary", "Avon and Somerset Constabulary"),
        ("Police", ""),
    ],
)
def test_a_force_is_known_by_its_place(name, known):
    assert looks_like(name, FORCES) == known


def test_an_unknown_outcome_says_what_it_looks_like():
    with pytest.raises(
        UnknownOutcome, match=r"it looks like 'Local resolution'.*outcome_groups\.py"
    ):
        group_of("local resolution ")
    with pytest.raises(UnknownOutcome, match=r"'Escaped'; add it to its group"):
        group_of("Escaped")


def test_a_rule_can_be_turned_off():
    figures = steady() | {Cell("2025-11", "Kent Police", "Drugs ", "Local resolution"): 3}
    assert found(figures, unknown_names={"does": "off"}) == []


def test_nothing_left_is_an_error():
    with pytest.raises(FiguresError, match="hold no crime at all"):
        examined({}, RULES_OF_DATA)
    former = steady(crime="Violent crime")
    with pytest.raises(FiguresError, match=r"is left to learn from: 'Violent crime' .* left out"):
        examined(former, RULES_OF_DATA)
    young = {cell._replace(outcome="Under investigation"): n for cell, n in steady().items()}
    with pytest.raises(FiguresError, match="no month of the figures is left"):
        examined(young, RULES_OF_DATA)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read"),
        ("[data.mixx]\ndoes = 'stop'", "has a rule data.mixx; known are"),
        ("[data.mix]\ndoes = 'shout'", 'data.mix.does must be "stop", "warn" or "off"'),
        ("[data.mix]\ndoes = 'stop'", "data.mix.psi must be a number above 0, not None"),
        ("[data.mix]\ndoes = 'stop'\npsy = 1", "data.mix.psy is not known; known are does, psi"),
        ("[data.mix]\ndoes = 'stop'\npsi = '1'", "data.mix.psi must be a number above 0, not '1'"),
    ],
)
def test_it_rejects_rules_that_are_none(tmp_path, text, said):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(FiguresError, match=said):
        data_rules(path)
    assert RULES.exists()


SHARED = REPOSITORY.parent / "shared/cases/figures.py"
MUST_SAY = {
    "swapped": ("stop", "outcomes of 2025-10 are unlike"),
    "still-open": ("warn", "2025-10 to 2025-12 left out: 41% of the outcomes of 2025-10 are known"),
    "two-eras": ("warn", "2018-10 to 2019-02 left out: more than 36 months"),
    "spelt-twice": ("stop", "'Burglary ' (2025-11) is no type of crime"),
    "fifteen-years": ("warn", "2024-10 to 2025-02 left out: 70% of the outcomes of 2024-10"),
}


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/cases/figures.py")
def test_the_shared_tables_are_stopped_held_back_or_warned_of(tmp_path):
    subprocess.run([sys.executable, SHARED, tmp_path], cwd=REPOSITORY, check=True)
    for name, (does, sentence) in MUST_SAY.items():
        said = found(read_figures(tmp_path / f"{name}.csv"))
        assert [each for each in said if each[0] == does and each[1].startswith(sentence)], name


@pytest.fixture(scope="module")
def real():
    return read_figures(FIGURES)


@pytest.mark.slow
def test_the_real_ones_are_like_themselves(real):
    assert len(beside(real, real)) == 11


def swapped_in_one_quarter(cell, count):
    swap = {"Local resolution": "Investigation complete; no suspect identified",
            "Investigation complete; no suspect identified": "Local resolution"}  # fmt: skip
    changed = cell.month in ("2025-04", "2025-05", "2025-06")
    yield cell._replace(outcome=swap.get(cell.outcome, cell.outcome)) if changed else cell, count


def open_at_the_end(cell, count):
    still = count // 3 if cell.month == "2025-12" and cell.outcome else 0
    yield cell, count - still
    if still:
        yield cell._replace(outcome="Under investigation"), still


def of_ten_years_ago(cell, count):
    yield cell, count
    if cell.month == "2025-06":
        yield cell._replace(month="2015-06"), count


def with_a_blank_before(cell, count):
    yield cell._replace(crime=" Drugs") if cell[1:3] == ("Kent Police", "Drugs") else cell, count


def in_capitals(cell, count):
    yield cell._replace(force=cell.force.replace("Kent Police", "KENT POLICE")), count


def swapped_in_one_crime(cell, count):
    changed = cell.crime == "Shoplifting" and cell.month < "2025-10"
    yield swapped(cell) if changed else cell, count


def swapped_in_one_force_all_year(cell, count):
    yield swapped(cell) if cell.force == "Kent Police" else cell, count


def swapped_all_year(cell, count):
    yield swapped(cell), count


def with_its_caught_hidden(cell, count):
    hidden = cell.force == "Kent Police" and group_of(cell.outcome) in CAUGHT
    yield cell._replace(outcome="Status update unavailable") if hidden else cell, count


def caught_later(cell, count):
    still = count // 2 if cell.month == "2025-12" and group_of(cell.outcome) in CAUGHT else 0
    yield cell, count - still
    if still:
        yield cell._replace(outcome="Under investigation"), still


def june_over_july(cell, count):
    if cell.month != "2025-07":
        yield cell, count
    if cell.month == "2025-06":
        yield cell._replace(month="2025-07"), count


VARIANTS = [
    (swapped_in_one_crime, "warn", "outcomes of Shoplifting change from 2025-09 to 2025-10"),
    (swapped_in_one_force_all_year, "warn", "outcomes of Kent Police are unlike those of the"),
    (swapped_all_year, "stop", "outcomes are unlike those of the known figures"),
    (with_its_caught_hidden, "warn", "outcomes of Kent Police are unlike those of the"),
    (caught_later, "warn", "outcomes of Drugs change from 2025-11 to 2025-12"),
    (june_over_july, "warn", "2025-07 has the very figures of 2025-06 for 39 forces"),
    (swapped_in_one_quarter, "stop", "outcomes of 2025-04 are unlike those of 2025-03"),
    (open_at_the_end, "warn", "2025-12 left out: 67% of the outcomes of 2025-12 are known"),
    (of_ten_years_ago, "warn", "2015-06 left out: more than 36 months before 2025-12"),
    (with_a_blank_before, "stop", "' Drugs' (2025-12) is no type of crime of data.police.uk; it"),
    (in_capitals, "stop", "'KENT POLICE' (2025-12) is no force of data.police.uk; it looks like"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "does", "sentence"), VARIANTS, ids=[made.__name__ for made, *_ in VARIANTS]
)
def test_other_tables_made_from_the_real_ones(real, made, does, sentence):
    figures = {}
    for old, number in real.items():
        for cell, count in made(old, number):
            figures[cell] = figures.get(cell, 0) + count
    said = beside(figures, real)
    assert [each for each in said if each[0] == does and each[1].startswith(sentence)], said
