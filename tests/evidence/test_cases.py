"""cases.csv: the cases on which a model is judged."""

from dataclasses import replace

import pytest

from predictor.evidence.cases import Cases, read_cases, write_cases
from predictor.evidence.errors import EvidenceError

CASES = Cases(
    features=("city", "hour"),
    flags=("escapes", "jailed"),
    rows=[("Gotham", "3"), ("Blüdhaven", "4")],
    counts=[(2.0, 1.0), (0.0, 5.0)],
    scores={"twin": [(0.5, 0.5), (0.125, 0.875)]},
    periods=["2025-10", "2025-11"],
)


def read(text, features=("city", "hour"), flags=("escapes", "jailed")):
    return read_cases(text.encode(), features, flags)


def test_it_works():
    again = read_cases(write_cases(CASES), CASES.features, CASES.flags)
    assert write_cases(again) == write_cases(CASES)
    assert again.counts == CASES.counts
    assert again.scores == CASES.scores
    assert again.periods == CASES.periods
    assert again.column("city") == ["Gotham", "Blüdhaven"]


def test_no_label_is_a_formula_for_those_who_open_the_file():
    labels = ["=1+1", "'=1+1", " -A", "\uff1d1", "-1.5", "-2e-05", "a;=1"]
    rows = [(label, str(hour)) for hour, label in enumerate(labels, start=-3)]
    cases = replace(CASES, rows=rows, counts=[(1.0, 0.0)] * 7, scores={}, periods=())
    written = write_cases(cases)
    assert read_cases(written, CASES.features, CASES.flags).rows == rows
    first = [line.partition(",")[0] for line in written.decode().splitlines()[1:]]
    assert first == ["'=1+1", "''=1+1", "' -A", "'\uff1d1", "-1.5", "-2e-05", "a;'=1"]
    assert b",-3," in written


def test_an_outcome_and_a_weight_say_the_same():
    cases = read("outcome,weight,city,hour,cluster\njailed,2.5,Gotham,3,a\nescapes,1,Gotham,4,b\n")
    assert cases.counts == [(0, 2.5), (1, 0)]
    assert cases.clusters == ["a", "b"]
    assert read("outcome,city,hour\njailed,Gotham,3\n").counts == [(0, 1)]


def test_a_feature_may_be_called_cluster():
    cases = read("cluster,outcome\na,jailed\n", features=("cluster",))
    assert cases.rows == [("a",)]
    assert not cases.clusters


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no row"),
        ("city,hour,outcome\n", "no row"),
        ("city,outcome\nGotham,jailed\n", "no column 'hour', a feature"),
        ("city,hour\nGotham,3\n", "must say what happened"),
        ("city,hour,escapes\nGotham,3,1\n", "there is no 'jailed'"),
        ("city,hour,outcome\nGotham,3,freed\n", "the outcome 'freed' is none of the model's flags"),
        ("city,hour,outcome\nGotham,3\n", "row 2 of the cases has 2 columns instead of 3"),
        ("city,city,hour,outcome\na,b,3,jailed\n", "the column 'city' twice"),
        ("city,hour,escapes,jailed\nGotham,3,x,1\n", "holds no number"),
        ("city,hour,escapes,jailed\nGotham,3,-1,1\n", "a number below 0"),
        ("city,hour,escapes,jailed\nGotham,3,inf,1\n", "a number below 0 or none"),
        ("city,hour,escapes,jailed\nGotham,3,0,0\n", "no counts above 0"),
        ("city,hour,escapes,jailed\nGotham,3,1e308,1e308\n", "more than can be added up"),
        ("city,hour,outcome,twin:escapes,twin:jailed\nGotham,3,jailed,0,1.5\n", "no probabilities"),
        ("city,hour,outcome,twin:escapes,twin:jailed\nGotham,3,jailed,1,1\n", "no probabilities"),
        ("city,hour,outcome,old:escapes,old:jailed\nGotham,3,jailed,0,.5\n", "no probabilities"),
        ("city,hour,outcome,high:escapes,high:jailed\nGotham,3,jailed,0,2\n", "no probabilities"),
        ("city,hour,outcome,twin:jailed\nGotham,3,jailed,.5\n", "no column 'twin:escapes'"),
        ('city,hour,outcome\n"Gotham,3,jailed\n', "not CSV"),
    ],
)
def test_it_rejects_cases_that_are_none(text, said):
    with pytest.raises(EvidenceError, match=said):
        read(text)


def test_it_rejects_what_is_no_text():
    with pytest.raises(EvidenceError, match="not CSV"):
        read_cases(b"city\n\xff\n", ("city",), ("a", "b"))
