"""Rules applied to cases."""

from dataclasses import replace

import pytest

from predictor.evidence.cases import Cases
from predictor.evidence.errors import EvidenceError
from predictor.evidence.judging import Opponent, judge, learnt_until
from predictor.evidence.rules import read_rules
from predictor.evidence.slices import slices
from predictor.evidence.verdict import Result, Verdict, refusals_of, result_of

RULES = b"""
[judge]
cluster = "force"
fewest_clusters = 10
[better_than.constant]
at_least = 0.02
[calibration]
at_most = 0.02
[coverage]
between = [0.9, 1.0]
of_slice_at_least = 0.8
cells = 1
[slices]
fewest = 100
gap_at_most = 0.05
[unchanged]
at_most = 0.02
[against_active]
margin = 0.0005
"""
FORCES = [f"force {number:02}" for number in range(12)]
SHARES = {"Drugs": 0.6, "Burglary": 0.1}
ROWS = [(force, crime) for force in FORCES for crime in SHARES]


def made(shares=SHARES, forces=FORCES):
    rows = [row for row in ROWS if row[0] in forces]
    counts = [(100 * (1 - SHARES[crime]), 100 * SHARES[crime]) for _, crime in rows]
    answers = [(1 - shares[crime], shares[crime]) for _, crime in rows]
    return Cases(
        features=("force", "crime"),
        flags=("not", "caught"),
        rows=rows,
        counts=counts,
        scores={
            "twin": answers,
            "low": [(low - 0.1, high - 0.1) for low, high in answers],
            "high": [(low + 0.1, high + 0.1) for low, high in answers],
        },
        periods=["2025-10"] * len(rows),
    )


def verdict(cases, rules=RULES, opponent=None):
    return judge(cases, b"", read_rules(rules), opponent)


def results(found):
    return {check.rule: str(check.result) for check in found.checks}


def test_it_works():
    found = verdict(made())
    assert found.result is Result.PASSED
    assert set(results(found).values()) == {"passed"}
    constant = found.checks[0]
    assert constant.found > 0.1
    assert constant.low == pytest.approx(constant.found)
    assert "verdict: passed" in str(found)


def test_swapped_labels_are_refused():
    found = verdict(made({"Drugs": 0.1, "Burglary": 0.6}))
    assert found.result is Result.REFUSED
    assert results(found)["better than constant"] == "refused"
    assert results(found)["intervals that hold"] == "refused"
    assert "worst: crime Burglary; 2 fail" in str(found)


def test_few_clusters_are_not_judged():
    found = verdict(made(forces=FORCES[:9]))
    assert found.result is Result.NOT_JUDGED
    assert "9 clusters are too few, 10 are needed" in str(found)


def test_a_reference_without_answers_is_not_judged():
    rules = b'[judge]\ncluster = "force"\n[better_than."crime rates"]\nat_least = 0\n'
    found = verdict(made(), rules)
    assert found.result is Result.NOT_JUDGED
    assert "no answers of crime rates" in str(found)


def test_a_worse_candidate_is_refused_beside_the_active_version():
    worse = {"Drugs": 0.55, "Burglary": 0.13}
    opponent = Opponent("1.0.0", "ab" * 32, "2025-09", made().scores["twin"])
    found = verdict(made(worse), b"[against_active]\nmargin = 0.0005\n", opponent)
    assert results(found) == {"not worse than 1.0.0": "refused"}
    assert found.as_json()["against"] == {"version": "1.0.0", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ("2025-12", "1.0.0 has learnt 2025-10 to 2025-10"),
        ("2025-10-01", "1.0.0 has learnt 2025-10 to 2025-10"),
        ("2025", "1.0.0 has learnt 2025-10 to 2025-10"),
        ("", "does not say"),
    ],
)
def test_a_champion_that_has_learnt_the_cases_is_no_judge(until, why):
    opponent = Opponent("1.0.0", "", until, made().scores["twin"])
    found = verdict(made({"Drugs": 0.61, "Burglary": 0.1}), RULES, opponent)
    assert results(found)["not worse than 1.0.0"] == "not judged"
    assert why in str(found)
    assert found.result is Result.PASSED


@pytest.mark.parametrize("until", ["2025-09", "2025-09-30", "2024"])
def test_a_champion_that_ends_before_the_cases_is_a_judge(until):
    opponent = Opponent("1.0.0", "", until, made().scores["twin"])
    assert results(verdict(made(), RULES, opponent))["not worse than 1.0.0"] == "passed"


def test_cases_that_do_not_say_when_they_were_are_compared_with_no_champion():
    opponent = Opponent("1.0.0", "", "2025-09", made().scores["twin"])
    found = verdict(replace(made(), periods=()), RULES, opponent)
    assert results(found)["not worse than 1.0.0"] == "not judged"
    assert "the cases have no period" in str(found)


@pytest.mark.parametrize(
    ("period", "until"),
    [
        ("2025-01 to 2025-12", "2025-12"),
        ("2025-01..2025-12", "2025-12"),
        ("2025-01\u20132025-12", "2025-12"),
        ("January to December 2025", "2025"),
        ("1912-04-15", "1912-04-15"),
        ("2025-Q4", "2025"),
        ("all we had", ""),
        (None, ""),
        (2025, "2025"),
    ],
)
def test_until_when_a_version_has_learnt(period, until):
    assert learnt_until({"data": {"period": period}}) == until
    assert learnt_until({"data": 3}) == ""


def test_what_is_published_must_be_near_its_twin():
    cases = made()
    moved = [(score[0] - 0.03, score[1] + 0.03) for score in cases.scores["twin"]]
    found = verdict(cases.with_scores("published", moved))
    assert results(found)["published near its twin"] == "refused"


def test_without_a_twin_the_published_answers_are_judged():
    cases = made()
    alone = replace(cases, scores={"published": cases.scores["twin"]})
    found = verdict(alone, b'[judge]\ncluster = "force"\n[better_than.constant]\nat_least = 0.02\n')
    assert (found.judged, found.result) == ("published", Result.PASSED)


def test_slices_come_worst_first():
    found = slices(made({"Drugs": 0.5, "Burglary": 0.1}), "twin")
    assert (found[0].feature, found[0].label, found[0].flag) == ("crime", "Drugs", "caught")
    assert found[0].gap == pytest.approx(-0.1)
    assert found[0].n == 1200
    assert {each.feature for each in found} == {"force", "crime", "cases in the group"}


def test_metadata_carries_the_verdict():
    found = verdict(made({"Drugs": 0.1, "Burglary": 0.6}))
    metadata = {"verdict": found.as_json(RULES.decode())}
    assert result_of(metadata) is Result.REFUSED
    assert "better than constant" in refusals_of(metadata)
    assert read_rules(metadata["verdict"]["rules"].encode()).sha256 == found.rules_sha256
    for strange in ({}, {"verdict": 3}, {"verdict": {"result": "good"}}):
        assert result_of(strange) is None
        assert refusals_of(strange) == ""


def test_a_verdict_that_contradicts_its_checks_is_a_refusal():
    refused = verdict(made({"Drugs": 0.1, "Burglary": 0.6})).as_json()
    for said in ("passed", "not judged", "great", None):
        metadata = {"verdict": {**refused, "result": said}}
        assert result_of(metadata) is Result.REFUSED
    for checks in (None, 3, "none", [1], [{"rule": 1}]):
        assert result_of({"verdict": {"result": "passed", "checks": checks}}) is Result.PASSED
        assert refusals_of({"verdict": {"result": "passed", "checks": checks}}) == ""


def test_no_rule_no_verdict():
    assert Verdict("twin", [], "", "").result is Result.NOT_JUDGED


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (b"", "rules are empty"),
        (b"[judge]\n", "rules are empty"),
        (b"[data.mix]\npsi = 1\n", "rules are empty"),
        (b"calibration = 3\n", "must be a section"),
        (b"[calibraton]\nat_most = 1\n", "section 'calibraton'; known are"),
        (b"[calibration]\nat_least = 1\n", "calibration.at_least is not known"),
        (b'[calibration]\nat_most = "1"\n', "calibration.at_most cannot be '1'"),
        (b"[calibration]\nat_most = true\n", "cannot be True"),
        (b"[coverage]\nbetween = [1]\n", "coverage.between cannot be"),
        (b"[coverage]\nbetween = [0.98, 0.93]\n", "coverage.between cannot be"),
        (b"[coverage]\ncells = 30\n", "coverage sets no limit: between, of_slice_at_least"),
        (b"[calibration]\n", "calibration sets no limit: at_most"),
        (b"[slices]\nover = 'constant'\n", "slices sets no limit: gain_at_least, gap_at_most"),
        (b"[calibration]\nat_most = nan\n", "calibration.at_most cannot be nan"),
        (b"[better_than.constant]\nat_least = -inf\n", "at_least cannot be -inf"),
        (b"[better_than.constant]\n", "must hold at_least, and nothing else"),
        (b"[", "not TOML"),
        (b"a = " + b"[" * 5_000, "not TOML"),
        (b"[calibration]\nat_most = " + b"9" * 5_000, "not TOML"),
        (b"[calibration]\nat_most = " + b"9" * 400, "cannot be"),
        (b"\xff", "not TOML"),
    ],
)
def test_it_rejects_rules_that_are_none(rules, said):
    with pytest.raises(EvidenceError, match=said):
        read_rules(rules)
