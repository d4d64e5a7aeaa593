"""A folder as a registry: what arrives is complete or not there."""

import errno
import os

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import MODEL
from predictor.registry import RegistryError, find_version
from predictor.registry.local import LocalRegistry
from tests import bundles


@pytest.fixture
def shelf(tmp_path):
    """A folder that holds one version."""
    bundles.install(tmp_path / "shelf")
    return LocalRegistry(tmp_path / "shelf")


@pytest.fixture
def here(tmp_path):
    return LocalRegistry(tmp_path / "here")


def test_it_works(shelf, here):
    folder = shelf.fetch("arkham", "1.0.0", here.root)
    assert folder == here.folder("arkham", "1.0.0")
    assert (here.models(), here.versions("arkham")) == (["arkham"], ["1.0.0"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in shelf.folder("arkham", "1.0.0").iterdir()
    }
    assert folder.stat().st_mode & 0o777 == 0o755


def test_it_orders_versions_as_people_do(tmp_path, here):
    for version in ("1.10.0", "1.9.0", "1.10.0-rc1"):
        here.publish(bundles.install(tmp_path, version=version))
    assert here.versions("arkham") == ["1.9.0", "1.10.0-rc1", "1.10.0"]
    assert find_version(here, "arkham", "latest") == "1.10.0"
    with pytest.raises(RegistryError, match=r"it has 1\.9\.0, 1\.10\.0-rc1, 1\.10\.0"):
        find_version(here, "arkham", "3")


def test_it_rejects_a_version_that_exists(shelf, here):
    shelf.fetch("arkham", "1.0.0", here.root)
    with pytest.raises(RegistryError, match="exists already"):
        shelf.fetch("arkham", "1.0.0", here.root)


def test_it_rejects_what_cannot_be_served(shelf, here):
    (shelf.folder("arkham", "1.0.0") / MODEL).write_bytes(b"no pickle")
    with pytest.raises(ArtifactError, match=r"model\.pkl"):
        shelf.fetch("arkham", "1.0.0", here.root)
    assert here.versions("arkham") == []
    assert not (here.root / "arkham").exists()


def test_it_clears_away_what_a_killed_process_left(shelf, here):
    left = here.root / ".incoming" / "arkham" / "0.9.0"
    left.mkdir(parents=True)
    (left / MODEL).write_bytes(b"half of it")
    assert here.models() == []
    shelf.fetch("arkham", "1.0.0", here.root)
    assert here.models() == ["arkham"]
    assert not (here.root / ".incoming").exists()


def test_it_rejects_a_folder_it_cannot_write(shelf, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RegistryError, match=r"cannot be put into .*file.*check"):
        shelf.fetch("arkham", "1.0.0", tmp_path / "file")


ODD = ["", "..", "../1.0.0", "1/0", "1\\0", ".hidden", "1..0", "a b", "ä"]


@pytest.mark.parametrize("version", ODD)
def test_it_rejects_odd_version_names(shelf, here, version):
    with pytest.raises(ArtifactError, match=r"cannot name a version: use .* \(A to Z, a to z\)"):
        shelf.fetch("arkham", version, here.root)


def test_it_rejects_a_full_disk(shelf, here, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("predictor.registry.local._copy_files", full)
    with pytest.raises(RegistryError, match="No space left on device; check"):
        shelf.fetch("arkham", "1.0.0", here.root)
    assert here.versions("arkham") == []
    assert not (here.root / ".incoming").exists()
