"""A version's files are ordinary files of a bounded size; anything else is refused at once."""

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import SIGNATURE, read_version
from predictor.artifacts.signatures import check_signature, new_key
from tests import bundles


def endless(path):
    with open(path, "wb") as file:
        file.truncate(10 * 2**30)


def listened_to(path):
    with socket.socket(socket.AF_UNIX) as unix:
        folder, before = os.open(path.parent, os.O_RDONLY), Path.cwd()
        os.fchdir(folder)  # the path of a socket must be short
        try:
            unix.bind(path.name)
        finally:
            os.chdir(before)
            os.close(folder)


ODD = {
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "ten gigabytes of nothing": endless,
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nowhere": lambda path: path.symlink_to(path.with_name("nowhere")),
    "a socket": listened_to,
}


def test_it_works(tmp_path):
    folder = bundles.install(tmp_path)
    target = (folder / "model.pkl").rename(tmp_path / "elsewhere.pkl")
    (folder / "model.pkl").symlink_to(target)  # as Kubernetes mounts files
    assert read_version(folder).content["model.pkl"] == target.read_bytes()


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
@pytest.mark.parametrize("name", ["model.pkl", "lookup.pkl", "metadata.json", SIGNATURE])
def test_it_rejects_what_is_no_ordinary_file(tmp_path, name, make):
    folder = bundles.install(tmp_path)
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    tracemalloc.start()
    with pytest.raises(ArtifactError, match=name):
        check_signature(read_version(folder), new_key()[1])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**24
