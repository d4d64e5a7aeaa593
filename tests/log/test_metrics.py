"""GET /metrics."""

import os
import re
import signal
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import bundles
from tests.bundles import ITEM
from tests.deadlines import eventually
from tests.load import load
from tests.servers import batcomputer


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
        assert not re.search(r"(_total|_count|_sum|_bucket|_info)$", family.name)
        assert not re.search(r"millisecond|minute|kilo|mega|percent", family.name)
        assert all(
            re.fullmatch("[a-z][a-z_]*", label) for s in family.samples for label in s.labels
        )
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples)


@pytest.mark.slow
def test_it_sums_over_all_workers(tmp_path):
    bundles.install(tmp_path / "models")
    with batcomputer(tmp_path, tmp_path / "models") as server:
        with load(server.port) as running:
            eventually(lambda: len(running.answered) > 200, seconds=30)
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
            found = samples(answer.read().decode())
        assert found["batcomputer_prediction_seconds_count", "arkham"] == len(running.answered)
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
