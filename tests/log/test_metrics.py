"""GET /metrics."""

import os
import platform
import re
import shutil
import signal
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import pytest
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from predictor.http.probes import PROBES
from predictor.log import writer
from predictor.log.writer.health import Condition
from predictor.log.writer.spool import Spool
from predictor.monitoring import held
from tests import bundles
from tests.bundles import ITEM
from tests.deadlines import eventually
from tests.load import load
from tests.log.entries import entry
from tests.servers import batcomputer


def resident(pid):
    """Bytes of memory of a process, as the kernel counts them."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.django_db
def test_it_works(arkham, post, client):
    before = samples(client.get("/metrics").content.decode())
    flag = max((scores := post(ITEM).json()), key=scores.get)
    post(ITEM | {"city": "Atlantis"})
    after = samples(client.get("/metrics").content.decode())

    def grown(*key):
        return after[key] - before.get(key, 0)

    assert grown("batcomputer_predictions_total", *sorted(["arkham", "1.0.0", flag])) == 1
    assert grown("batcomputer_prediction_seconds_count", "arkham") == 1
    assert grown("batcomputer_http_requests_total", "200", "POST", "api/predict") == 1
    assert grown("batcomputer_http_requests_total", "400", "POST", "api/predict") == 1
    assert (
        grown("batcomputer_refused_fields_total", *sorted(["arkham", "city", "unknown label"])) == 1
    )
    assert after["batcomputer_active_version", "1.0.0", "arkham"] == 1
    assert after["batcomputer_log_spool_files",] == 0


@pytest.mark.django_db
def test_each_item_of_an_array_counts(arkham, post, client):
    def answered():
        found = samples(client.get("/metrics").content.decode())
        return sum(v for k, v in found.items() if k[0] == "batcomputer_predictions_total")

    before = answered()
    post([ITEM] * 7)
    assert answered() == before + 7


@pytest.mark.django_db
@pytest.mark.parametrize("probe", [path.removeprefix("/") for path in PROBES])
def test_a_probe_is_a_route_of_its_own(arkham, client, probe):
    """So that the share of failed answers is that of callers."""
    key = "batcomputer_http_requests_total", "200", "GET", probe
    before = samples(client.get("/metrics").content.decode()).get(key, 0)
    assert client.get(f"/{probe}").status_code == 200
    assert samples(client.get("/metrics").content.decode())[key] > before


@pytest.mark.django_db
def test_a_callers_text_never_becomes_a_label(arkham, post, client):
    post(ITEM | {"x" * 50: 1})
    client.get("/no/such/route/zzz")
    client.generic("BREW", "/api/predict")
    text = client.get("/metrics").content.decode()
    assert "xxx" not in text
    assert "zzz" not in text
    assert "BREW" not in text


@pytest.mark.django_db
def test_its_names_follow_the_conventions(arkham, post, client):
    """Those of prometheus.io/docs/practices/naming, as promtool checks them."""
    post(ITEM)
    families = list(text_string_to_metric_families(client.get("/metrics").content.decode()))
    ours = [family for family in families if family.name.startswith("batcomputer_")]
    assert len(ours) > 10
    for family in ours:
        assert family.documentation
        assert not re.search(r"(_total|_count|_sum|_bucket)$", family.name)
        assert not re.search(r"millisecond|minute|kilo|mega|percent", family.name)
        assert all(
            re.fullmatch("[a-z][a-z_]*", label) for s in family.samples for label in s.labels
        )
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_database_the_spool_and_the_disks_are_shown(arkham, post, client, settings, tmp_path):
    settings.SPOOL_DIR = tmp_path / "left"
    post(ITEM)
    found = samples(client.get("/metrics").content.decode())
    assert found["batcomputer_database_up",] == 1
    reached = found["batcomputer_log_database_reached_timestamp_seconds",]
    assert 0 <= time.time() - reached < 60
    assert found["batcomputer_log_spool_oldest_seconds",] == 0
    assert found["batcomputer_disk_free_bytes", "spool"] > 0
    assert found["batcomputer_disk_free_bytes", "spool"] <= shutil.disk_usage(tmp_path).total
    assert found["batcomputer_http_request_seconds_count", "api/predict"] >= 1
    assert found["process_resident_memory_bytes",] > 1e6
    for age in (500, 100):
        spool = Spool(settings.SPOOL_DIR)
        spool.append([entry(datetime.now(UTC) - timedelta(seconds=age))])
        spool.seal()
    found = samples(client.get("/metrics").content.decode())
    assert found["batcomputer_log_spool_files",] == 2
    assert found["batcomputer_log_spool_oldest_seconds",] == pytest.approx(500, abs=30)


@pytest.mark.django_db
def test_while_the_database_is_away_it_says_so_and_asks_it_nothing(
    arkham, post, client, monkeypatch
):
    post(ITEM)
    monkeypatch.setattr(writer, "condition", lambda: Condition(database=False, spool=True))
    monkeypatch.setattr("predictor.http.exposition.drift", lambda model: 1 / 0)
    assert samples(client.get("/metrics").content.decode())["batcomputer_database_up",] == 0


@pytest.mark.django_db
def test_without_a_log_nothing_is_said_of_its_places(arkham, client, settings):
    settings.PREDICTION_LOG = "off"
    text = client.get("/metrics").content.decode()
    assert "batcomputer_database_up" not in text
    assert "batcomputer_disk_free_bytes" not in text


@pytest.mark.django_db
def test_a_refused_model_is_shown(models_dir, client):
    bundles.install(models_dir)
    (bundles.install(models_dir, "zoo") / "model.pkl").write_bytes(b"no pickle")
    found = samples(client.get("/metrics").content.decode())
    assert found["batcomputer_model_refused", "arkham"] == 0
    assert found["batcomputer_model_refused", "zoo"] == 1


@pytest.mark.django_db
def test_what_runs_is_shown(client):
    text = client.get("/metrics").content.decode()
    (info,) = (
        f for f in text_string_to_metric_families(text) if f.name == "batcomputer_build_info"
    )
    labels = info.samples[0].labels
    assert labels["python"] == platform.python_version()
    assert labels["django"] == django.__version__


@pytest.mark.slow
def test_it_sums_over_all_workers(tmp_path):
    bundles.install(tmp_path / "models")
    with batcomputer(tmp_path, tmp_path / "models") as server:
        with load(server.port) as running:
            eventually(lambda: len(running.answered) > 200, seconds=30)
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
            found = samples(answer.read().decode())
        assert found["batcomputer_prediction_seconds_count", "arkham"] == len(running.answered)
        route = "batcomputer_http_request_seconds_count", "api/predict"
        assert found[route] == len(running.answered)
        assert found["process_resident_memory_bytes",] > sum(map(resident, server.workers()))
        assert time.time() - found["batcomputer_log_database_reached_timestamp_seconds",] < 60
        assert found["batcomputer_log_batch_rows_sum",] == len(running.answered)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        with load(server.port) as again:
            eventually(lambda: len(again.answered) > 50, seconds=60)
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
            found = samples(answer.read().decode())
        both = len(running.answered) + len(again.answered)
        assert found["batcomputer_prediction_seconds_count", "arkham"] == both
        assert found["batcomputer_log_queue_rows",] == 0


def test_held_counts_are_written_once():
    """The file (or its stand-in here) has the written counts; the figure includes held ones."""
    counter = Counter("batcomputer_batarangs", "Thrown", registry=None)
    counter.inc()
    value, thread = counter._value, threading.Thread(target=held.hold, daemon=True)
    thread.start()
    eventually(lambda: held.HeldValue.are_held)
    try:
        counter.inc(2)
        assert (value.waiting, value.get()) == (2, 3)
        held.HeldValue.write()
        assert (value.waiting, value.get()) == (0, 3)
        counter.inc(4)
    finally:
        held.release()
    assert (value.waiting, value.get()) == (0, 7)
    counter.inc()
    assert (value.waiting, value.get()) == (0, 8)
