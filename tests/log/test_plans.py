"""An index serves every query of admin on a long log, in both databases."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from predictor.log import drift, paging
from predictor.log.writer.store import Store
from predictor.models import Prediction
from tests.log.entries import many

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LOG = "/admin/predictor/prediction/"
# An order, and whether an index serves it: to see that what walks through all is found.
ORDERS = [
    (["score_step", "top_score", "id"], True),
    (["-score_step", "-top_score", "-id"], True),
    (["-id"], True),
    (["top_score", "id"], False),
    (["-top_score"], False),
    (["model", "id"], False),
    (["top_flag", "top_score"], False),
    (["duration"], False),
]
ROWS = 30_000  # PostgreSQL scans shorter tables despite an index
# All but what starts from outcomes or notes: of these at most WINDOW are looked at, and sorted.
PAGES = [
    "/admin/",
    "/admin/?days=30",
    LOG,
    f"{LOG}?before=MIDDLE",
    f"{LOG}?after=MIDDLE",
    f"{LOG}?version=arkham/1.0.0",
    f"{LOG}?version=arkham",
    f"{LOG}?flag=escapes",
    f"{LOG}?source=page",
    f"{LOG}?on=MONTH",
    f"{LOG}?on=MONTH&flag=escapes",
    f"{LOG}?version=arkham/1.1.0&flag=jailed",
    f"{LOG}?version=arkham/1.1.0&flag=jailed&source=page&q=Joker&on=MONTH",
    f"{LOG}?q=nowhere",
    f"{LOG}?q=case+500",
    f"{LOG}?q=MIDDLE",
    f"{LOG}MIDDLE/change/",
    f"{LOG}?sort=time",
    f"{LOG}?sort=-score",
    f"{LOG}?sort=score&low=0.5&high=0.6",
    f"{LOG}?sort=-score&q=Joker&version=arkham",
    f"{LOG}?low=0.5&high=0.6",
    f"{LOG}?outcome=unreported",
    f"{LOG}?caller=0123456789abcdef",
    f"{LOG}?caller=0123456789abcdef&flag=jailed",
    f"{LOG}?took=1",
    f"{LOG}?q=Gets+away",
]


@pytest.fixture
def reader(client, arkham):
    """A client that may see everything, and a log that is worth an index."""
    cache.clear()
    Store(connection).insert(list(many(ROWS)), None)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # the store's limit, in the test's one transaction
            cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("ANALYZE")
    client.force_login(User.objects.create_superuser("bruce"))
    return client


def plan(query):
    """How the database goes about a query that it was asked."""
    prefix = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(prefix + query)
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())


def walks_through_all(steps):
    """Whether a step reads the whole table, or sorts more of it than a window has.

    Rows that an index gives step by step of the score may be sorted within each, and no others.
    """
    table = Prediction._meta.db_table
    if connection.vendor == "sqlite":
        whole = re.search(rf"SCAN {table}\b(?! USING)|TEMP B-TREE FOR ORDER BY", steps)
        partial = re.search(r"TEMP B-TREE FOR (RIGHT PART|LAST .*TERMS?) OF ORDER BY", steps)
        by_step = re.search(r"SEARCH \w+ USING (COVERING )?INDEX prediction_by_step\b", steps)
        return bool(whole or (partial and not by_step))
    presorted = re.findall(r"Presorted Key: (?:\w+\.)?(.*)", steps)
    sizes = re.findall(r"(?<!Incremental )Sort  \(cost=.* rows=(\d+)", steps)
    return (
        f"Seq Scan on {table}" in steps
        or any(key.split()[0] != "score_step" for key in presorted)
        or any(int(size) > paging.WINDOW for size in sizes)
    )


def test_it_works(reader, monkeypatch):
    scored = Prediction.objects.filter(score_step__isnull=False).values_list("id", "top_score")
    for order, is_served in ORDERS:
        steps = scored.order_by(*order)[:100].explain()
        assert walks_through_all(steps) != is_served, steps
    # as small a part of the log as of a real one
    monkeypatch.setattr(paging, "WINDOW", 500)
    monkeypatch.setattr(drift, "DAYS", (1,))
    ids = Prediction.objects.order_by("id").values_list("id", flat=True)
    middle = Prediction.objects.get(id=ids[ROWS // 2])
    for page in PAGES:
        address = page.replace("MIDDLE", str(middle.id)).replace("MONTH", f"{middle.time:%Y-%m}")
        with CaptureQueriesContext(connection) as asked:
            assert reader.get(address).status_code == 200
        of_the_log = [q["sql"] for q in asked if '"predictor_prediction"' in q["sql"]]
        assert of_the_log, address
        for query in of_the_log:
            steps = plan(query)
            assert not walks_through_all(steps), f"{address}\n{query}\n{steps}"
