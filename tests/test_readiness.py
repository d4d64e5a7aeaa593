"""/readyz: ready means it can answer and record."""

import threading

import pytest
from django.db import OperationalError

from predictor.log import writer
from predictor.log.writer import health
from predictor.log.writer.health import Condition, Health
from tests import bundles
from tests.deadlines import eventually


@pytest.fixture
def places(monkeypatch):
    """Sets which places take rows."""

    def take(*, database, spool):
        monkeypatch.setattr(writer, "condition", lambda: Condition(database, spool))

    return take


@pytest.mark.parametrize(
    ("database", "spool", "status"),
    [(True, True, 200), (True, False, 200), (False, True, 200), (False, False, 503)],
)
def test_one_place_that_takes_rows_is_enough(arkham, client, places, database, spool, status):
    places(database=database, spool=spool)
    response = client.get("/readyz")
    assert response.status_code == status
    assert response.json()["database"] == ("up" if database else "down")
    assert response.json()["spool"] == ("writable" if spool else "not writable")
    assert response.json()["models"] == {"arkham": "warm"}
    assert ("Retry-After" in response) == (status == 503)


@pytest.mark.parametrize("kept", ["best-effort", "off"])
def test_a_log_that_is_not_required_holds_nothing_up(arkham, client, places, settings, kept):
    settings.PREDICTION_LOG = kept
    places(database=False, spool=False)
    assert client.get("/readyz").status_code == 200


def broken(models_dir, name):
    folder = bundles.install(models_dir, name)
    (folder / "model.pkl").write_bytes(b"no pickle")


def test_a_refused_model_that_is_not_needed_holds_nothing_up(models_dir, client, places):
    """The default model is not installed, so any model that answers will do."""
    places(database=True, spool=True)
    broken(models_dir, "another")
    bundles.install(models_dir, "zoo")
    assert (
        client.post("/api/models/zoo/predict", bundles.ITEM, "application/json").status_code == 200
    )
    assert client.get("/readyz").json()["models"] == {"zoo": "warm"}


def test_a_model_that_is_named_must_answer(models_dir, client, places, settings):
    places(database=True, spool=True)
    broken(models_dir, settings.DEFAULT_MODEL)
    bundles.install(models_dir, "zoo")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["models"] == {settings.DEFAULT_MODEL: "refused"}
    name, detail = settings.DEFAULT_MODEL, response.json()["detail"]
    assert f"{name} is refused ({name} 1.0.0 cannot be served: model.pkl" in detail


class Place:
    """A store or a spool that takes rows, or does not."""

    def __init__(self, error=None):
        self.error, self.tried = error, 0

    def probe(self):
        self.tried += 1
        if self.error:
            raise self.error

    def close(self):
        pass


@pytest.mark.parametrize("database", [None, OperationalError("gone")])
@pytest.mark.parametrize("spool", [None, OSError(28, "No space left on device")])
def test_both_places_are_tried_for_real(database, spool):
    store = Place(database)
    health = Health(lambda: store, Place(spool))
    assert health.condition() == (database is None, spool is None)
    health.condition()
    assert store.tried == 1  # the result is cached for a moment


def test_the_log_has_the_reason(caplog):
    full = OSError(28, "No space left on device", "/spool/x")
    Health(lambda: Place(OperationalError("unable to open\nthe file")), Place(full)).condition()
    (said,) = caplog.messages
    assert said == (
        "a row can be recorded in: no place; not in: database (unable to open the file), "
        "spool ([Errno 28] No space left on device: '/spool/x')"
    )


class Hanging(Place):
    """A place that neither takes a row nor refuses one, such as a frozen disk, until ``end``."""

    def __init__(self):
        super().__init__()
        self.end = threading.Event()

    def probe(self):
        self.tried += 1
        assert self.end.wait(60)


def test_a_place_that_hangs_is_asked_once_and_not_waited_for(monkeypatch):
    """Each attempt would take one of the worker's few threads for good."""
    monkeypatch.setattr(health, "_PATIENCE", 0.05)
    monkeypatch.setattr(health, "_KEPT", 0)
    store, spool = Hanging(), Hanging()
    tried = Health(lambda: store, spool)
    for _ in range(3):
        assert tried.condition() == (False, False)
    assert (store.tried, spool.tried) == (1, 1)
    store.end.set()
    spool.end.set()
    eventually(lambda: tried.condition() == (True, True))
    tried.condition()
    assert store.tried > 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_probe_is_only_read(arkham, client, path):
    answer = client.post(path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
