"""The order of the score, through an index that knows only coarse steps of it."""

import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from predictor.log.history import referring
from predictor.log.paging import SortOrder, Start, read_page
from predictor.log.scores import fill_in_scores
from predictor.log.steps import step_of
from predictor.log.writer.rows import COLUMNS
from predictor.log.writer.store import Store
from predictor.models import Prediction
from tests.log.entries import entry

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
LOWEST, HIGHEST = -1.7976931348623157e308, 1.7976931348623157e308
HIGHEST_FIRST, LOWEST_FIRST = SortOrder(by_score=True), SortOrder(by_score=True, falling=False)
# ties, and neighbours on both sides of the bounds of steps
SCORES = [0.75, 0.75, 0.7499999999999999, 0.765625, 0.7656249999999999, 0.75, 1.0, 1, 0.999, 0.5,
          0.51, 0.515625, 0.0, -0.0, 5e-324, -5e-324, -0.25, -0.2500001, -3.5, 7, 1e300, LOWEST,
          HIGHEST]  # fmt: skip

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite)
@example(-0.0, 0.0)
@example(-5e-324, 5e-324)
@example(LOWEST, HIGHEST)
def test_a_higher_score_is_never_on_a_lower_step(one, other):
    low, high = sorted((one, other))
    assert step_of(low) <= step_of(high)


def test_steps_are_coarse_enough_to_be_few_and_fine_enough_to_be_sorted():
    steps = [step_of(0.5 + number / 2000) for number in range(1000)]
    assert len(set(steps)) == 32
    assert step_of(0.0) == step_of(-0.0) == step_of(5e-324) == 0
    assert step_of(1) == step_of(1.0) > steps[-1]
    assert all(abs(step_of(score)) < 2**31 for score in (LOWEST, HIGHEST))  # an IntegerField
    assert step_of(LOWEST) == -step_of(HIGHEST)


@pytest.fixture
def log(db):
    """Rows with all SCORES, in no order, and as many with one between 0.4 and 0.6."""
    chance = random.Random(8)
    scores = SCORES + [0.4 + chance.randrange(20) / 100 for _ in SCORES]
    chance.shuffle(scores)
    rows = [entry(MOMENT, n, scores={"jailed": score}) for n, score in enumerate(scores)]
    Store(connection).insert(rows, None)


def sorted_plainly(order):
    rows = Prediction.objects.exclude(top_score=None).values_list("top_score", "id")
    return [identity for _, identity in sorted(rows, reverse=order.falling)]


@pytest.mark.parametrize("order", [HIGHEST_FIRST, LOWEST_FIRST])
def test_pages_are_those_of_the_plain_order_forwards_and_back(log, order):
    wanted, size = sorted_plainly(order), 7
    page = read_page(Prediction.objects.all(), size, Start(order))
    pages = [page]
    while page.on:
        page = read_page(Prediction.objects.all(), size, Start(order, page.on))
        pages.append(page)
    assert [row.id for page in pages for row in page.rows] == wanted
    for earlier, later in pairwise(pages):
        back = read_page(Prediction.objects.all(), size, Start(order, later.back, is_back=True))
        assert back.rows == earlier.rows


def test_rows_that_an_older_server_inserts_are_sorted_once_upkeep_has_seen_them(log):
    known = sorted_plainly(HIGHEST_FIRST)
    old = dict(zip(COLUMNS, entry(MOMENT, 9_999, scores={"jailed": 0.77}), strict=True))
    del old["score_step"]
    names, marks = ", ".join(f'"{name}"' for name in old), ", ".join(["%s"] * len(old))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO predictor_prediction ({names}) VALUES ({marks})", list(old.values())
        )
    rows = Prediction.objects.all()
    assert list(HIGHEST_FIRST.sorted(rows).values_list("id", flat=True)) == known
    assert fill_in_scores() == 1
    filled = sorted_plainly(HIGHEST_FIRST)
    assert list(HIGHEST_FIRST.sorted(rows).values_list("id", flat=True)) == filled
    assert len(filled) == len(known) + 1
    assert fill_in_scores() == 0


@pytest.mark.slow
def test_a_range_of_scores_is_exact_whatever_the_steps(log, arkham, admin_client):
    for sort in ("", "-score"):
        page = admin_client.get(
            "/admin/predictor/prediction/",
            {"sort": sort, "low": "0.7499999999999999", "high": "0.765625"},
        )
        scores = sorted(line.row.top_score for line in page.context["cl"].lines())
        assert scores == [0.7499999999999999, 0.75, 0.75, 0.75, 0.7656249999999999, 0.765625]


def test_a_reference_is_found_through_the_index_of_rows_that_have_one(db):
    rows = [entry(MOMENT, n, reference=f"case {n}" if n % 10 == 0 else "") for n in range(2_000)]
    Store(connection).insert(rows, None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE predictor_prediction")
    for wanted, found in ((["case 10"], 1), (["case 10", "case 20", "case 11"], 2)):
        referred = Prediction.objects.filter(referring(*wanted))
        assert referred.count() == found
        assert "prediction_with_reference" in referred.order_by("-id").explain()
