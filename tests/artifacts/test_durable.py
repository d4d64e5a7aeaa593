"""Stored files appear whole or not at all, and are on disk once they appear."""

import errno
import os
import stat
import zipfile
from pathlib import Path

import pytest

from predictor.artifacts import signatures
from predictor.artifacts.files import read_version
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_store import Report, ReportStore
from predictor.artifacts.table import Tables
from predictor.registry import RegistryError
from predictor.registry.local import LocalRegistry
from tests import bundles
from training.download import _extract
from training.figures import Cell, write_figures
from training.site import _Part

FINGERPRINT = "0" * 64


def version(folder):
    """(where it appears, what writes it)."""
    return folder / "arkham/1.0.0", lambda: bundles.install(folder)


def received_version(folder):
    theirs = bundles.install(folder.with_name("theirs"))
    ours = LocalRegistry(folder)
    return folder / "arkham/1.0.0", lambda: ours.publish(theirs)


def verdict(folder):
    verdicts = ReportStore(Policy(store=folder))
    return folder / f"{FINGERPRINT}.json", lambda: verdicts.keep(Report(sha256=FINGERPRINT))


def table(folder):
    tables, scores = Tables(folder, Policy()), memoryview(bytes(8)).cast("d")
    return folder / f"{FINGERPRINT}.table", lambda: tables.keep(FINGERPRINT, scores)


def signature(folder):
    files = read_version(bundles.install(folder))
    private, _ = signatures.new_key()
    return files.folder / signatures.SIGNATURE, lambda: signatures.sign(files, private)


def figures(folder):
    path = folder / "figures.csv"
    return path, lambda: write_figures(path, {Cell("2025-01", "Kent Police", "Burglary", ""): 1})


def month(folder):
    archive = folder.with_name("2025-01.zip")
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("2025-01/2025-01-kent-street.csv", "Crime ID")

    def extract():
        with zipfile.ZipFile(archive) as opened:
            _extract(opened, "2025-01", folder)

    return folder / "2025-01", extract


def archive(folder):
    part = _Part(folder / "2025-01.zip.part")
    part.path.write_bytes(b"PK")
    return folder / "2025-01.zip", lambda: part.complete(folder / "2025-01.zip")


REPLACED = [verdict, table, signature, figures]  # the others are final
WRITERS = [version, received_version, month, archive, *REPLACED]
LOGGED = (verdict, table)  # can be found out again: a full disk is a warning


@pytest.fixture(params=WRITERS, ids=lambda writer: writer.__name__)
def writer(request, tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    return request.param, *request.param(folder)


def test_it_is_on_the_disk_before_it_appears(writer, monkeypatch):
    _, place, write = writer
    events = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor):
        events.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        fsync(descriptor)

    def renamed(old, new):
        below = [str(path) for path in Path(old).rglob("*")]
        events.append(("rename", str(new), [str(old), *below]))
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "replace", renamed)
    write()
    assert place.exists()
    (at,) = [n for n, event in enumerate(events) if event[:2] == ("rename", str(place))]
    before = {event[1] for event in events[:at] if event[0] == "sync"}
    assert set(events[at][2]) <= before, "all of it is on the disk before it has its name"
    assert ("sync", str(place.parent)) in events[at:], "then its name is"
    for path in [place, *place.rglob("*")]:
        assert path.stat().st_mode & stat.S_IROTH, "the server may be another user"


def test_a_full_disk_leaves_nothing(writer, monkeypatch):
    kind, place, write = writer

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    there = sorted(place.parent.rglob("*")) if place.parent.exists() else []
    monkeypatch.setattr(os, "fsync", full)
    if kind in LOGGED:
        write()
    else:
        with pytest.raises((OSError, RegistryError), match="No space left"):
            write()
    assert not place.exists()
    assert sorted(place.parent.rglob("*")) == there, "nothing half-written is left"


@pytest.mark.parametrize("writer", REPLACED, indirect=True, ids=lambda writer: writer.__name__)
def test_what_is_there_stays_until_its_successor_is_whole(writer, monkeypatch):
    _, place, write = writer
    write()
    old = place.read_bytes()
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(place.read_bytes()), fsync(fd)))
    write()
    assert seen[0] == old
