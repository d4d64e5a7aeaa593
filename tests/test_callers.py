"""The limits of callers: pages, rows and disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from predictor.keys.models import ApiKey
from predictor.log import writer
from predictor.log.writer import disk as disks
from predictor.log.writer.replay import Replayer
from predictor.models import Prediction
from tests.bundles import ITEM
from tests.routes import address, routes
from tests.servers import ROOT, SECRET_KEY
from tests.sweeps import swept

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.9"
CSV = b"city,villain,hour\n"
ROW = b"Gotham,Joker,3\n"
UUID = "00000000-0000-0000-0000-000000000000"
PAGES = [
    "/", "/favicon.ico", "/arkham/", "/arkham/card", "/arkham/map", "/arkham/map.csv",
    "/arkham/what-if", "/arkham/bulk", f"/arkham/outcome/{UUID}", "/arkham/template.csv",
    "/language", "/robots.txt", "/manifest.webmanifest", "/arkham/surprise", "/arkham/why",
    "/offline.js", "/arkham/bulk/preview", f"/arkham/case/{UUID}", f"/arkham/case/{UUID}.png",
]  # fmt: skip
REDIRECTED = ("/favicon.ico", "/arkham/surprise")
CASE = "city=Gotham&villain=Joker&hour=3"
SCORING = [
    f"/?vary=city&{CASE}", f"/arkham/?vary=city&{CASE}", "/arkham/map", "/arkham/map.csv",
    f"/arkham/what-if?vary=city&{CASE}", f"/arkham/why?{CASE}",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_counts():
    cache.clear()
    yield
    cache.clear()


def test_these_are_all_pages():
    """PAGES applies to every route of this package."""
    known = {address(pattern) for pattern in routes()}
    programs = ("/api/", "/v2", "/admin/", "/swagger.json", "/openapi.json")
    assert {path for path in known if not path.startswith(programs)} <= {*PAGES}, known


@pytest.mark.parametrize("path", swept(PAGES, 6))
@pytest.mark.parametrize("method", ["get", "post"])
def test_without_pages_there_is_none(arkham, client, settings, path, method):
    settings.PAGES = "off"
    refused = getattr(client, method)(path)
    assert refused.status_code == 404
    assert "has no pages (PAGES=off)" in refused.json()["detail"]  # the smoke test reads it
    assert client.get("/api/info").status_code == client.get("/admin/login/").status_code == 200
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("path", swept(PAGES, 6))
def test_pages_for_people_who_log_in(arkham, client, admin_client, settings, path):
    settings.PAGES = "login"
    seen = client.get(path)
    assert seen.status_code in (302, 403)
    if seen.status_code == 302:
        assert seen["Location"].startswith("/admin/login/?next=")
    assert client.post(path, {"city": "Gotham"}).status_code == 403
    assert admin_client.get(path).status_code not in (302, 403) or path in REDIRECTED
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("path", SCORING)
def test_every_page_that_scores_is_counted(arkham, settings, path):
    settings.THROTTLE_RATE = "2/minute"
    client = Client(REMOTE_ADDR=ADDRESS)
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    "path", ["/", "/arkham/card", "/swagger.json", "/openapi.json", "/api/docs", "/admin/login/"]
)
def test_what_scores_nothing_is_not(arkham, settings, path):
    settings.THROTTLE_RATE = "2/minute"
    client = Client(REMOTE_ADDR=ADDRESS)
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 200]


def send(client, body, path="/api/predict", kind="text/csv", **headers):
    response = client.post(path, body, kind, headers=headers)
    response.getvalue()
    return response


@pytest.mark.parametrize(
    ("path", "setting"), [("/api/predict", "CSV_MAX_ROWS"), ("/arkham/bulk", "PAGE_CSV_MAX_ROWS")]
)
def test_a_file_has_only_so_many_rows(arkham, client, settings, path, setting):
    setattr(settings, setting, 3)
    assert send(client, CSV + ROW * 3, path).status_code == 200
    refused = send(client, CSV + ROW * 4, path)
    assert refused.status_code == 400
    assert "the CSV has more than 3 rows" in refused.json()["detail"]
    assert Prediction.objects.count() == 3


@pytest.mark.parametrize(
    ("body", "path", "kind"),
    [
        (CSV + ROW * 201, "/api/predict", "text/csv"),
        (CSV + ROW * 201, "/arkham/bulk", "text/csv"),
        ([ITEM] * 201, "/api/predict", "application/json"),
        ([ITEM] * 201, "/api/models/arkham/predict", "application/json"),
    ],
)
def test_a_hundred_rows_count_as_a_request(arkham, settings, body, path, kind):
    settings.THROTTLE_RATE = "4/minute"
    client = Client(REMOTE_ADDR=ADDRESS)
    assert send(client, body, path, kind).status_code == 200  # three of four
    refused = send(client, body, path, kind)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "201 rows count as 3;" in refused.json()["detail"]
    assert Prediction.objects.count() == 201


def test_a_hundred_rows_are_one(arkham, settings):
    settings.THROTTLE_RATE = "2/minute"
    client = Client(REMOTE_ADDR=ADDRESS)
    assert [send(client, CSV + ROW * 100).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "rate"),
    [
        ({"API_KEY_REQUIRED": "false"}, "600/minute"),
        ({}, "600/minute"),  # of the pages
        ({"PAGES": "login"}, ""),
        ({"API_KEY_REQUIRED": "false", "PAGES": "off"}, "600/minute"),
        ({"API_KEY_REQUIRED": "false", "THROTTLE_RATE": ""}, ""),
        ({"THROTTLE_RATE": "5/day"}, "5/day"),
    ],
)
def test_a_deployment_that_lets_callers_in_without_a_key_has_a_rate(environment, rate):
    done = subprocess.run(
        [sys.executable, "-c", "from batcomputer import settings; print(settings.THROTTLE_RATE)"],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "SECRET_KEY": SECRET_KEY, **environment},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == rate


@pytest.mark.parametrize(
    ("caller", "keyed", "statuses"),
    [
        (ADDRESS, False, [200, 200, 429]),
        (ADDRESS, True, [200, 200, 200]),
        ("127.0.0.1", False, [200, 200, 200]),
    ],
)
def test_a_rate_that_was_not_set_limits_strangers(arkham, settings, caller, keyed, statuses):
    settings.THROTTLE_RATE = settings.THROTTLE_BY_DEFAULT = "2/minute"
    client = Client(REMOTE_ADDR=caller)
    headers = {"X-API-Key": ApiKey.objects.create_key(name="Gordon")[1]} if keyed else {}
    assert [client.get("/api/info", headers=headers).status_code for _ in range(3)] == statuses


@pytest.fixture
def free(monkeypatch):
    """Sets how much of each disk is free, in MB, of 100,000: a number, or by the path."""

    def forget():
        disks.log_disk.cache_clear()
        writer._health.cache_clear()

    def set_free(megabytes):
        def usage(path):
            found = megabytes(path) if callable(megabytes) else megabytes
            return shutil._ntuple_diskusage(100_000 * 2**20, 0, found * 2**20)

        monkeypatch.setattr(shutil, "disk_usage", usage)
        forget()

    yield set_free
    forget()


@pytest.mark.parametrize(
    ("mode", "status"), [("required", 503), ("best-effort", 200), ("off", 200)]
)
def test_a_disk_is_never_filled(arkham, post, client, settings, free, mode, status):
    settings.PREDICTION_LOG = mode
    free(63)
    assert post(ITEM).status_code == status
    assert client.get("/readyz").status_code == status
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("full", ["spool", "log"])
@pytest.mark.django_db(transaction=True)
def test_one_disk_with_room_is_enough(
    arkham, post, client, settings, tmp_path, free, full, monkeypatch
):
    """As with PostgreSQL, whose disk is another machine's."""
    # its thread would go on when this test has ended
    monkeypatch.setattr(Replayer, "start", lambda self, database_is_down: None)
    settings.SPOOL_DIR = tmp_path / "spool"
    own = writer.log_writer()._spool.folder, settings.SPOOL_DIR
    for folder in own:
        folder.mkdir(exist_ok=True)
    free(lambda path: 1 if (path in own) == (full == "spool") else 90_000)
    assert post(ITEM).status_code == 200
    found = client.get("/readyz")
    assert found.status_code == 200
    places = (found.json()["database"], found.json()["spool"])
    assert places == (("up", "not writable") if full == "spool" else ("down", "writable"))
    assert Prediction.objects.count() == (full == "spool")


def test_it_is_said_before(arkham, post, free, caplog):
    free(200)
    assert post(ITEM).status_code == 200
    assert "the disk of the log has 200 MB left" in caplog.text
    free(300)
    caplog.clear()
    assert post(ITEM).status_code == 200
    assert "the disk" not in caplog.text


def test_a_small_disk_need_not_have_more_free(monkeypatch):
    usage = shutil._ntuple_diskusage(10 * 2**20, 0, 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert not disks.Disk(Path()).is_full()
