"""The truth of a prediction, reported later."""

import contextlib

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from sklearn import calibration, metrics

from predictor.log import accuracy
from predictor.log.writer.store import Store
from predictor.models import Outcome, Prediction
from tests.bundles import ITEM
from tests.log.entries import entry

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def asked(arkham, post):
    return post(ITEM)["X-Prediction-Id"]


def test_it_works(asked, post):
    response = post({"outcome": "jailed"}, f"/api/predictions/{asked}/outcome")
    assert response.status_code == 200
    row = Prediction.objects.get()
    assert response.json() == {
        "id": asked, "outcome": "jailed", "top_flag": row.top_flag,
        "correct": row.top_flag == "jailed",
    }  # fmt: skip
    assert row.outcome.flag == "jailed"


def test_the_last_word_counts(asked, post):
    for flag in ("jailed", "escapes"):
        post({"outcome": flag}, f"/api/predictions/{asked}/outcome")
    assert Outcome.objects.get().flag == "escapes"


def test_it_rejects_an_unknown_id(arkham, post):
    response = post(
        {"outcome": "jailed"}, "/api/predictions/01a1bb58-d33f-7000-8000-00000007a11f/outcome"
    )
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_it_rejects_an_unknown_flag_and_suggests_one(asked, post):
    response = post({"outcome": "Jailed"}, f"/api/predictions/{asked}/outcome")
    assert response.status_code == 400
    assert response.json()["errors"][0]["suggestion"] == "jailed"
    assert not Outcome.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, [], "jailed", {"outcome": 1}, {"outcome": "jailed", "why": ""}, b"{"]
)
def test_it_rejects_any_other_body(asked, post, body):
    assert post(body, f"/api/predictions/{asked}/outcome").status_code == 400


def write(tmp_path, text):
    path = tmp_path / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_tells_many_by_id_or_reference(tmp_path, asked, post, capsys):
    post(ITEM, **{"X-Reference": "case 42"})
    call_command(
        "import_outcomes",
        write(tmp_path, f"id,reference,outcome\n{asked},,jailed\n,case 42,escapes\n"),
    )
    assert capsys.readouterr().out == "2 outcomes recorded, 0 rows refused\n"
    assert sorted(Outcome.objects.values_list("flag", flat=True)) == ["escapes", "jailed"]


def test_a_csv_names_the_rows_it_cannot_take(tmp_path, asked, post, capsys):
    for _ in range(2):
        post(ITEM, **{"X-Reference": "twice"})
    path = write(
        tmp_path,
        f"id,reference,outcome\n{asked},,jailed\n{asked},,free\nnonsense,,jailed\n"
        ",twice,jailed\n,never,jailed\n,,jailed\n",
    )
    with pytest.raises(CommandError, match="5 rows"):
        call_command("import_outcomes", path)
    printed = capsys.readouterr()
    assert printed.out == "1 outcome recorded, 5 rows refused\n"
    assert "line 3: outcome: 'free' is not a flag" in printed.err
    assert "line 4: 'nonsense' is not an id" in printed.err
    assert "line 5: the reference 'twice' stands for several predictions" in printed.err


@pytest.mark.parametrize("text", ["id,truth\n", "", "outcome\n", "\n"])
def test_it_rejects_a_csv_without_the_columns(tmp_path, text):
    with pytest.raises(CommandError, match="header"):
        call_command("import_outcomes", write(tmp_path, text))


def test_a_csv_may_have_semicolons_and_columns_of_its_own(tmp_path, asked, capsys):
    path = write(tmp_path, f"\ufeffnote;id;outcome\na, b;{asked};jailed\n")
    call_command("import_outcomes", path)
    assert capsys.readouterr().out == "1 outcome recorded, 0 rows refused\n"


@pytest.mark.parametrize(
    "odd", [b"{asked}", b"{asked},jailed,more", b"{asked},\xff", b"\0,jailed", b'"', b"x" * 200_000]
)
def test_an_odd_row_holds_up_no_other(tmp_path, asked, post, odd, capsys):
    later = post(ITEM)["X-Prediction-Id"]
    path = tmp_path / "odd.csv"
    odd = odd.replace(b"{asked}", asked.encode())
    path.write_bytes(b"id,outcome\n%s,escapes\n%s\n" % (later.encode(), odd))
    with contextlib.suppress(CommandError):
        call_command("import_outcomes", path)
    assert Outcome.objects.get(prediction_id=later).flag == "escapes"
    printed = capsys.readouterr()
    assert ("line 3" in printed.err) == ("more" not in odd.decode(errors="replace"))


def test_accuracy_is_measured():
    cases = [(0.9, "escapes"), (0.6, "escapes"), (0.8, "jailed"), (0.3, "jailed")]
    rows = [
        entry(number=n, scores={"escapes": share, "jailed": 1 - share})
        for n, (share, _) in enumerate(cases)
    ]
    Store(connection).insert(rows, None)
    for row, (_, truth) in zip(rows, cases, strict=True):
        Outcome.objects.create(prediction_id=row[0], model="arkham", version="1.0.0", flag=truth)
    figures = accuracy.measure_accuracy("arkham", "1.0.0")
    assert figures.count == 4
    assert figures.accuracy == 0.75
    # -(ln 0.9 + ln 0.6 + ln 0.2 + ln 0.7) / 4, and (0.1² + 0.4² + 0.8² + 0.3²) / 4
    assert figures.log_loss == pytest.approx(0.645, abs=0.001)
    assert figures.brier == pytest.approx(0.225)
    assert figures.confusion == {
        ("escapes", "escapes"): 2, ("jailed", "escapes"): 1, ("jailed", "jailed"): 1,
    }  # fmt: skip
    assert [(b.low, b.count, b.share_correct) for b in figures.reliability] == [
        (0.6, 1, 1.0), (0.7, 1, 1.0), (0.8, 1, 0.0), (0.9, 1, 1.0),
    ]  # fmt: skip


def test_the_figures_are_scikit_learns():
    chance, flags = np.random.default_rng(6), ["escapes", "jailed", "vanishes"]
    scores = chance.dirichlet([1, 2, 1], 300)
    truth = [flags[chance.choice(3, p=row)] for row in scores]
    rows = [
        entry(number=n, scores=dict(zip(flags, map(float, row), strict=True)))
        for n, row in enumerate(scores)
    ]
    Store(connection).insert(rows, None)
    for row, flag in zip(rows, truth, strict=True):
        Outcome.objects.create(prediction_id=row[0], model="arkham", version="1.0.0", flag=flag)
    figures = accuracy.measure_accuracy("arkham", "1.0.0")
    tops = [flags[n] for n in scores.argmax(axis=1)]
    assert figures.accuracy == pytest.approx(metrics.accuracy_score(truth, tops))
    assert figures.log_loss == pytest.approx(metrics.log_loss(truth, scores, labels=flags))
    actual = np.array([[flag == each for flag in flags] for each in truth])
    assert figures.brier == pytest.approx(((scores - actual) ** 2).sum(axis=1).mean())
    counted = metrics.confusion_matrix(truth, tops, labels=flags)
    assert [[figures.confusion[t, top] for top in flags] for t in flags] == counted.tolist()
    right = [a == b for a, b in zip(truth, tops, strict=True)]
    shares, means = calibration.calibration_curve(right, scores.max(axis=1), n_bins=10)
    assert [b.share_correct for b in figures.reliability] == pytest.approx(shares)
    assert [b.mean_score for b in figures.reliability] == pytest.approx(means)


def test_scores_that_are_no_probabilities_have_no_log_loss():
    row = entry(scores={"price": 250_000.0})
    Store(connection).insert([row], None)
    Outcome.objects.create(prediction_id=row[0], model="arkham", version="1.0.0", flag="price")
    figures = accuracy.measure_accuracy("arkham", "1.0.0")
    assert figures.log_loss is None
    assert figures.brier is None


def test_without_outcomes_there_is_no_accuracy(asked):
    assert accuracy.measure_accuracy("arkham", "1.0.0") is None


def test_a_file_of_24_000_rows_is_recorded_in_seconds(
    tmp_path, arkham, django_assert_max_num_queries
):
    rows = [entry(number=n, reference=f"case {n}") for n in range(24_000)]
    Store(connection).insert(rows, None)
    by_id = "".join(f"{row[0]},,jailed\n" for row in rows[:12_000])
    by_reference = "".join(f",case {n},escapes\n" for n in range(12_000, 24_000))
    file = write(tmp_path, f"id,reference,outcome\n{by_id}{by_reference}")
    with django_assert_max_num_queries(600):
        call_command("import_outcomes", file)
    assert Outcome.objects.filter(flag="jailed").count() == 12_000
    assert Outcome.objects.count() == 24_000


def test_a_reference_of_very_many_rows_is_not_read_whole(tmp_path, arkham, capsys):
    Store(connection).insert([entry(number=n, reference="all") for n in range(50)], None)
    Store(connection).insert([entry(number=99, reference="one")], None)
    with pytest.raises(CommandError):
        call_command(
            "import_outcomes", write(tmp_path, "reference,outcome\nall,jailed\none,jailed\n")
        )
    assert "'all' stands for several predictions" in capsys.readouterr().err
    assert Outcome.objects.get().prediction.reference == "one"


def test_reported_twice_in_one_file_the_last_word_counts(tmp_path, asked, capsys):
    call_command(
        "import_outcomes", write(tmp_path, f"id,outcome\n{asked},jailed\n{asked},escapes\n")
    )
    assert Outcome.objects.get().flag == "escapes"
    assert capsys.readouterr().out == "2 outcomes recorded, 0 rows refused\n"
