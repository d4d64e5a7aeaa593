"""The steps before a server starts, where another server starts in the same folder."""

import threading

import pytest
from django.contrib.staticfiles.storage import StaticFilesStorage

from batcomputer.commands import preparation
from batcomputer.commands.turn import TURN_FILE, take_turn
from tests.deadlines import eventually


@pytest.fixture
def steps(tmp_path, monkeypatch, settings):
    """The commands of each preparation of an empty folder; ``collectstatic`` leaves one file."""
    done = []
    settings.STATIC_ROOT = tmp_path / "staticfiles"

    def run(*command, **_):
        done.append(command[0])
        if command[0] == "collectstatic":
            settings.STATIC_ROOT.mkdir(exist_ok=True)
            (settings.STATIC_ROOT / "bat.1.css").write_text("")
            names = settings.STATIC_ROOT / "staticfiles.json"
            names.write_text('{"paths": {"bat.css": "bat.1.css"}}')

    monkeypatch.setattr(preparation, "call_command", run)
    monkeypatch.setattr(preparation, "home", lambda: tmp_path)
    return done


EACH_TIME = ["verify_model", "migrate"]


def test_static_files_are_collected_once(steps):
    preparation.prepare()
    assert steps == [*EACH_TIME, "collectstatic"]
    preparation.prepare()
    assert steps[3:] == EACH_TIME, "a server that starts now reads the files"


@pytest.mark.parametrize("lost", ["bat.1.css", "staticfiles.json"])
def test_a_file_that_was_removed_is_collected_again(steps, settings, lost):
    preparation.prepare()
    (settings.STATIC_ROOT / lost).unlink()
    preparation.prepare()
    assert steps[3:] == [*EACH_TIME, "collectstatic"]


def test_a_file_that_was_changed_is_collected_again(steps, tmp_path, monkeypatch):
    source = tmp_path / "bat.css"
    source.write_text("")
    finder = type("Finder", (), {"list": lambda *_: [(source.name, StaticFilesStorage(tmp_path))]})
    monkeypatch.setattr(preparation, "get_finders", lambda: [finder()])
    preparation.prepare()
    source.write_text("a{}")
    preparation.prepare()
    assert steps[3:] == [*EACH_TIME, "collectstatic"]


def test_a_collection_that_failed_is_done_again(steps, monkeypatch):
    run = preparation.call_command

    def fails(*command, **_):
        if command[0] == "collectstatic":
            raise OSError("No space left on device")

    preparation.prepare()
    monkeypatch.setattr(preparation, "static_sources", lambda: "others")
    monkeypatch.setattr(preparation, "call_command", fails)
    with pytest.raises(OSError, match="No space"):
        preparation.prepare()
    monkeypatch.setattr(preparation, "call_command", run)
    preparation.prepare()
    assert steps[-1] == "collectstatic"


def test_one_at_a_time(steps, tmp_path, capsys):
    with (tmp_path / TURN_FILE).open("w") as other:
        take_turn(other.fileno())
        second = threading.Thread(target=preparation.prepare)
        second.start()
        eventually(lambda: "waiting for another start" in capsys.readouterr().out)
        assert steps == []
    second.join(10)
    assert steps == [*EACH_TIME, "collectstatic"]
