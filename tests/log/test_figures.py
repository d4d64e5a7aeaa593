"""The figures of the first admin page mislead no reader: bulk, several models, windows of time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from predictor.admin.dashboard import dashboard
from predictor.log import drift
from predictor.log.traffic import SPANS
from predictor.log.traffic_parts import keep_parts, parts
from predictor.log.writer.store import Store
from predictor.models import DriftFigures, Prediction, TrafficFigures
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import ITEM
from tests.log.entries import entry

pytestmark = pytest.mark.django_db
EVEN = dict.fromkeys(bundles.CITIES, 1 / 3)


@pytest.fixture(autouse=True)
def nothing_cached():
    cache.clear()


@pytest.fixture
def model(models_dir):
    bundles.install(models_dir, metadata=bundles.METADATA | {"baseline": {"city": EVEN}})
    return serving().active("arkham")


def insert(rows):
    Store(connection).insert(list(rows), None)


def row(number, **changed):
    """An answer of now; cities take turns as in training."""
    inputs = ITEM | {"city": bundles.CITIES[number % 3]}
    return entry(number=number, **({"inputs": inputs} | changed))


def lines(kind="requests", model="arkham"):
    return [line for line in dashboard()["latency"] if (line.model, line.kind) == (model, kind)]


@pytest.mark.slow
def test_a_file_hides_no_latency_of_the_api(model):
    insert(row(n, duration=1.0) for n in range(100))
    insert(row(n, duration=900.0, source="csv", items=100) for n in range(100, 700))
    (single,) = lines()
    assert single.count == 100
    assert single.quantiles["p50"] == pytest.approx(1, rel=0.03)
    assert single.quantiles["longest"] == pytest.approx(1, rel=0.03)
    (file,) = lines("files")
    assert file.count == 6
    assert file.quantiles["p50"] == pytest.approx(900, rel=0.03)


@pytest.mark.slow
def test_latency_is_per_request_and_not_per_item(model, post):
    for _ in range(3):
        assert post([ITEM] * 200).status_code == 200
    for _ in range(5):
        post(ITEM)
    assert [line.count for line in lines("arrays")] == [3]
    assert [line.count for line in lines()] == [5]


@pytest.mark.slow
def test_no_model_and_no_flag_vanishes_behind_another(model):
    scores = {f"flag {n}": 0.0 for n in range(25)}
    insert(
        row(n, model="many", top_flag=f"flag {n % 25}", scores=scores | {f"flag {n % 25}": 1.0})
        for n in range(500)
    )
    insert(row(500 + n, model=("one", "two", "three")[n % 3]) for n in range(9))
    insert(row(n, model="one", source="csv", items=300) for n in range(600, 900))
    shares = dashboard()["shares"]
    assert {line.model for line in shares} == {"many", "one", "two", "three"}
    (one,) = (line for line in shares if line.model == "one")
    assert (one.requests, one.files) == (1.0, 1.0)


def test_windows_are_time(model):
    old = datetime.now(UTC) - timedelta(days=3)
    insert(row(n) if n % 2 else entry(old, n, duration=700.0) for n in range(40))
    (single,) = lines()
    assert single.count == 20
    assert single.quantiles["longest"] < 1


@pytest.mark.slow
def test_a_busy_hour_is_sampled_and_counted_whole(model, monkeypatch):
    monkeypatch.setattr("predictor.log.traffic_parts.MOST", 60)
    insert(row(n * 109) for n in range(600))  # of ids with the last digits of a real id's spread
    (single,) = lines()
    assert single.count == pytest.approx(600, rel=0.001)


@pytest.mark.slow
def test_one_file_is_no_drift(model, settings, mailoutbox):
    settings.ALERT_EMAILS = ["gordon@example.org"]
    insert(row(n) for n in range(300))
    insert(
        row(n, inputs=ITEM | {"city": "Gotham"}, source="csv", items=500) for n in range(300, 900)
    )
    found = {(one.population, one.subject): one for one in drift.measure_drift(model)}
    assert found["requests", "city"].psi == pytest.approx(0)
    assert found["files", "city"].psi > 5
    assert not found["files", "city"].drifted
    call_command("drift_report", "--alert")
    assert mailoutbox == []


@pytest.mark.slow
def test_a_large_file_does_not_crowd_out_requests(model, monkeypatch):
    monkeypatch.setattr(drift, "MOST", 400)
    insert(row(n * 251) for n in range(300))
    insert(row(70_000 + n * 53, source="csv", items=1000) for n in range(1200))
    (city,) = (
        one for one in drift.measure_drift(model)
        if (one.population, one.subject) == ("requests", "city")
    )  # fmt: skip
    assert city.answers == 300


def test_one_array_counts_as_one_request(model):
    insert(row(n) for n in range(300))
    insert(row(n, inputs=ITEM | {"city": "Gotham"}, items=300) for n in range(300, 600))
    found = {(one.population, one.subject): one for one in drift.measure_drift(model)}
    assert found["requests", "city"].answers == 301
    assert found["requests", "city"].psi < 0.001


@pytest.mark.slow
def test_what_an_older_release_recorded_is_read_too(model):
    """It knows no number of items."""
    insert(row(n, items=None) for n in range(300))
    assert drift.measure_drift(model)[0].answers == 300
    assert lines()[0].count == 300


@pytest.mark.slow
def test_an_older_week_is_not_asked_now(model):
    month_ago = datetime.now(UTC) - timedelta(days=30)
    insert(entry(month_ago, n, inputs=ITEM) for n in range(400))
    insert(row(n) for n in range(400, 700))
    city = {one.subject: one for one in drift.measure_drift(model)}["city"]
    assert city.answers == 300
    assert city.psi == pytest.approx(0)


@pytest.mark.slow
def test_the_page_shows_them(client, model):
    insert(row(n) for n in range(300))
    insert(row(n, source="csv", items=300) for n in range(300, 600))
    client.force_login(User.objects.create_superuser("bruce"))
    page = client.get("/admin/").content.decode()
    latency = page.split("How long requests took")[1].split("</section>")[0]
    assert "arkham" in latency
    assert "files" in latency


def test_what_is_over_is_looked_at_once_by_upkeep(model):
    now = datetime.now(UTC)
    insert(entry(now - timedelta(days=2, minutes=n), n) for n in range(40))
    call_command("upkeep", verbosity=0)
    predictions = Prediction._meta.db_table
    for span in ("week", "month", "quarter", "year"):
        with CaptureQueriesContext(connection) as asked:
            assert sum(part.answers for _, part in parts(SPANS[span])) == 40
        of_log = [one for one in asked.captured_queries if f'FROM "{predictions}"' in one["sql"]]
        assert len(of_log) <= 2, "only the part that runs: its count and its rows"


@pytest.mark.parametrize(("looked_after", "counted"), [(23, 2), (25, 1)])  # hours
def test_late_answers_are_counted_until_a_part_is_settled(model, looked_after, counted):
    moment = datetime.now(UTC) - timedelta(days=5)
    insert([entry(moment, 0)])
    keep_parts()
    insert([entry(moment, 1)])  # from a spool
    six_hours = SPANS["week"].part
    TrafficFigures.objects.update(time=F("start") + six_hours + timedelta(hours=looked_after))
    keep_parts()
    assert sum(part.answers for _, part in parts(SPANS["week"])) == counted


def test_drift_is_kept_by_day_and_drawn(model, admin_client):
    insert(row(n, inputs=ITEM | {"city": "Gotham"}) for n in range(300))
    today = {one.subject: one.psi for one in drift.drift(model)}
    kept = DriftFigures.objects.get()
    assert [one["subject"] for one in kept.figures] == list(today)
    DriftFigures.objects.create(
        model=kept.model, version=kept.version, sha256=kept.sha256, time=kept.time,
        day=kept.day - timedelta(days=3),
        figures=[one | {"psi": one["psi"] / 2} for one in kept.figures],
    )  # fmt: skip
    (first, last) = dashboard()["moved"]["by_day"].bars
    assert first.height < last.height
    assert "Population stability index by day" in admin_client.get("/admin/").content.decode()


def test_drift_of_a_busy_log_is_measured_by_upkeep_alone(model, monkeypatch):
    monkeypatch.setattr(drift, "MOST", 250)
    insert(row(n * 109, inputs=ITEM | {"city": "Gotham"}) for n in range(600))
    call_command("upkeep", verbosity=0)
    monkeypatch.setattr(drift, "measure_drift", lambda model: pytest.fail("it is kept"))
    DriftFigures.objects.update(time=datetime.now(UTC) - timedelta(minutes=70))
    assert {one.subject for one in drift.drift(model)} >= {"city"}
