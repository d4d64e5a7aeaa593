"""Which version answers now: every exit says the same, and no model waits for another."""

import threading
import time

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from predictor.models import Activation
from predictor.serving import current, notes
from predictor.serving.activation import activate, answering
from predictor.serving.current import Serving, serving
from predictor.serving.errors import ModelLoading, ModelUnavailable
from tests import bundles
from tests.bundles import ITEM


@pytest.fixture
def dropped(arkham, models_dir, post):
    """1.0.0 answers; 1.1.0 is installed but was never activated."""
    post(ITEM)
    bundles.install(models_dir, version="1.1.0", estimator=bundles.fitted(1))
    return models_dir


def exits(client, capsys):
    """The version that each place says answers."""
    call_command("list_models")
    listed = [line.split() for line in capsys.readouterr().out.splitlines()]
    page = client.get("/admin/predictor/activation/").content.decode()
    rows = page.split("<tr>")
    (shown,) = [row for row in rows if "<strong>answers</strong>" in row]
    return {
        "X-Model-Version": client.post("/api/predict", ITEM, "application/json")["X-Model-Version"],
        "info": client.get("/api/info").json()["version"],
        "models": client.get("/api/models").json()[0]["version"],
        "metrics": client.get("/metrics")
        .content.decode()
        .split('batcomputer_active_version{model="arkham",version="')[1]
        .split('"')[0],
        "list_models": next(line[0] for line in listed if "answers" in line),
        "activations page": shown.split('"row">')[1].split("<")[0],
        "dashboard": client.get("/admin/").content.decode().split("arkham ")[1].split("<")[0],
        "answering": answering("arkham"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("standing", [[], ["1.1.0"], ["1.1.0", "1.0.0"]])
def test_every_exit_says_which_version_answers(dropped, admin_client, capsys, standing):
    for version in standing:
        activate("arkham", version, "Alfred")
    serving().refresh()
    wanted = (standing or ["1.0.0"])[-1]
    assert set(exits(admin_client, capsys).values()) == {wanted}


def test_what_does_not_answer_can_be_activated(dropped, admin_client):
    page = admin_client.get("/admin/predictor/activation/").content.decode()
    assert "/admin/predictor/activation/arkham/1.1.0/compare/" in page
    assert "/admin/predictor/activation/arkham/1.0.0/compare/" not in page


def test_a_version_whose_files_are_gone_still_answers(dropped, admin_client, capsys):
    activate("arkham", "1.1.0", "Alfred")
    (dropped / "arkham" / "1.1.0" / "model.pkl").write_bytes(b"no pickle")
    serving().refresh()  # it is to answer, and cannot
    call_command("list_models")
    assert "1.0.0                here         answers\n" in capsys.readouterr().out
    page = admin_client.get("/admin/predictor/activation/").content.decode()
    assert page.index("is to answer, and cannot") < page.index("answers in its place")


def test_only_a_worker_logs_that_a_version_answers(dropped, caplog):
    caplog.set_level("INFO", "predictor")
    for served, logged in ((Serving(dropped), []), (Serving(dropped), ["arkham 1.1.0 answers"])):
        caplog.clear()
        if logged:
            served.warm()
        served.active("arkham")  # as commands do, and the process of upkeep
        assert [line for line in caplog.messages if line.endswith("answers")] == logged


def test_a_model_that_was_loaded_by_name_is_not_loaded_again_as_the_default(dropped, monkeypatch):
    served, loaded = Serving(dropped), []
    load = served._loader.load
    monkeypatch.setattr(
        served._loader, "load", lambda *asked, **how: loaded.append(asked) or load(*asked, **how)
    )
    served.warm()  # as a worker does
    assert served.active() is served.active("arkham")
    assert len(loaded) == 1


def test_a_command_asks_what_the_workers_noted(dropped, capsys):
    serving().warm()
    serving()._put(serving()._active["arkham"])
    serving.cache_clear()  # as in a separate process that serves nothing
    assert answering("arkham") == "1.0.0"


def test_a_note_of_a_process_that_ended_counts_no_more(dropped, monkeypatch):
    monkeypatch.setattr(notes, "_birth", lambda process: "long ago")
    notes.keep(dropped, "arkham", "1.0.0", "", 0)
    serving.cache_clear()
    monkeypatch.undo()
    assert answering("arkham") == "1.1.0"  # the version that a start would choose


def away(*_, **__):
    raise OperationalError("away")


@pytest.mark.parametrize("activated", [True, False])
def test_a_worker_that_starts_without_a_database_takes_what_answered_last(
    dropped, monkeypatch, activated
):
    first = Serving(dropped)
    first.warm()
    if activated:
        activate("arkham", "1.0.0", "Alfred")
    notes.keep(dropped, "arkham", "1.0.0", first.registry and serving().active().sha256, activated)
    with monkeypatch.context() as patch:
        patch.setattr(Activation.objects, "filter", away)
        second = Serving(dropped)
        assert second.active("arkham").version == "1.0.0"
        assert "the database cannot be asked" in second.problem("arkham")
    second.refresh()
    assert second.active("arkham").version == "1.0.0"
    assert second.problem("arkham") == ""


def test_it_takes_nothing_that_no_worker_noted(dropped, monkeypatch):
    monkeypatch.setattr(Activation.objects, "filter", away)
    with pytest.raises(ModelUnavailable, match="the database cannot be asked"):
        Serving(dropped).active("arkham")


def test_it_takes_no_other_files_of_the_same_name(dropped, monkeypatch):
    notes.keep(dropped, "arkham", "1.0.0", "0" * 64, 1)
    monkeypatch.setattr(Activation.objects, "filter", away)
    with pytest.raises(ModelUnavailable, match="not those that were activated"):
        Serving(dropped).active("arkham")


@pytest.fixture
def examined(arkham, models_dir, monkeypatch, post):
    """The model zoo is being examined in another thread; arkham answers."""
    bundles.install(models_dir, "zoo")
    post(ITEM)
    begun, ended = threading.Event(), threading.Event()

    def slow(name, now=None):
        begun.set()
        ended.wait(20)
        raise ModelUnavailable("it was never examined")

    monkeypatch.setattr(serving()._loader, "best", slow)
    monkeypatch.setattr(current, "PATIENCE", 0.05)
    monkeypatch.setattr(Serving.active, "__defaults__", ("", 0.05))

    def ask():
        with pytest.raises(ModelUnavailable, match="never"):
            serving().active("zoo")

    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(5)
    yield
    ended.set()
    asking.join()


@pytest.mark.parametrize("path", ["/api/models/zoo/predict", "/api/models/zoo/info", "/zoo/"])
def test_who_asks_for_a_model_under_examination_is_asked_to_come_back(examined, client, path):
    started = time.monotonic()
    response = (
        client.post(path, ITEM, "application/json") if "predict" in path else client.get(path)
    )
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert "is being examined" in response.content.decode()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "path", ["/swagger.json", "/metrics", "/api/models", "/readyz", "/api/info"]
)
def test_nothing_else_waits_for_that_examination(examined, client, path):
    started = time.monotonic()
    response = client.get(path)
    assert response.status_code == 200
    assert b"arkham" in response.content
    assert time.monotonic() - started < 2


def test_a_request_to_another_model_does_not_wait(examined, post):
    started = time.monotonic()
    assert post(ITEM, "/api/models/arkham/predict").status_code == 200
    assert time.monotonic() - started < 1


def test_a_model_that_was_loading_is_asked_for_again(examined):
    with pytest.raises(ModelLoading):
        Serving.active(serving(), "zoo")
    assert Client().get("/api/models").json()[1]["status"] == "unavailable"
