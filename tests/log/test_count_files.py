"""The files of the counts: a disk that fails costs figures, and no process."""

import errno
import os
import shutil
import subprocess
import sys

import pytest
from prometheus_client.mmap_dict import MmapedDict

from predictor.monitoring import count_files
from predictor.monitoring.count_files import CountFile
from tests.servers import ROOT, SECRET_KEY

COUNT = "from predictor.monitoring import metrics; metrics.ABSTENTIONS.inc()"
FIRST, LONG = '["crimes", "crimes_total", {}, ""]', "é" * 40_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(count_files, "PAUSE", 0.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "figures" / "counter_1.db"


def kept(path):
    return {key: value for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path))}


def test_prometheus_client_reads_it(path, tmp_path):
    ours, theirs = CountFile(str(path)), MmapedDict(str(tmp_path / "theirs.db"))
    for file in (ours, theirs):
        assert file.read_value(FIRST) == (0, 0)
        file.write_value(FIRST, 3.5, 1e9)
        file.write_value(LONG, -1, 0)
        file.close()
    written = path.read_bytes()
    assert (tmp_path / "theirs.db").read_bytes()[: len(written)] == written


def test_a_process_with_an_id_of_before_counts_on(path):
    CountFile(str(path)).write_value(FIRST, 3, 0)
    again = CountFile(str(path))
    assert again.read_value(FIRST) == (3, 0)
    again.write_value(LONG, 1, 0)
    assert kept(path) == {FIRST: 3, LONG: 1}


@pytest.mark.parametrize("left", [b"", b"\0" * 4, b"\xff" * 40])
def test_a_file_that_is_cut_off_is_begun_again(path, left):
    path.parent.mkdir()
    path.write_bytes(left)
    CountFile(str(path)).write_value(FIRST, 2, 0)
    assert kept(path) == {FIRST: 2}


def no_room(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("write", [no_room, lambda file, data, start: len(data) - 1])
def test_a_full_disk_delays_figures(path, monkeypatch, write):
    file = CountFile(str(path))
    file.write_value(FIRST, 1, 0)
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", write)
        file.write_value(FIRST, 2, 0)
        file.write_value(LONG, 5, 0)
        assert file.read_value(FIRST) == (2, 0)
        assert kept(path) == {FIRST: 1}
        assert [found.name for found in path.parent.iterdir()] == [path.name]
    file.write_value(FIRST, 3, 0)
    assert kept(path) == {FIRST: 3, LONG: 5}


def test_a_folder_that_is_removed_is_made_again(path):
    file = CountFile(str(path))
    file.write_value(FIRST, 1, 0)
    shutil.rmtree(path.parent)
    file.write_value(FIRST, 2, 0)
    assert kept(path) == {FIRST: 2}


def test_a_folder_that_cannot_be_made_is_reported_once(path, caplog):
    path.parent.write_text("a file")
    file = CountFile(str(path))
    for number in range(3):
        file.write_value(FIRST, number, 0)
    assert file.read_value(FIRST) == (2, 0)
    (said,) = caplog.messages
    assert str(path.parent) in said
    assert "PROMETHEUS_MULTIPROC_DIR" in said


@pytest.mark.django_db
def test_figures_are_shown_without_the_folder(arkham, client, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "gone"))
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "batcomputer_active_version" in answer.content.decode()


@pytest.mark.slow
def test_no_process_ends_by_a_full_disk(tmp_path):
    """By the kernel's own means: a page of a sparse file for which the disk has no room."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        (disk / "filler").write_bytes(bytes(64 * 1024))
        done = subprocess.run(
            [sys.executable, "-c", COUNT],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "SECRET_KEY": SECRET_KEY, "PROMETHEUS_MULTIPROC_DIR": str(disk)},
        )  # fmt: skip
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert done.returncode == 0, done.stderr
    assert "No space left" in done.stderr
