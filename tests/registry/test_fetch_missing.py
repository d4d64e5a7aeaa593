"""A version is copied to where Spark's machines read it, once."""

import pytest

from predictor.artifacts.version import load_version
from predictor.registry import RegistryError, publication
from predictor.registry.local import LocalRegistry
from predictor.registry.publication import fetch_missing
from tests import bundles


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The version that the registry holds."""
    folder = bundles.install(tmp_path / "kept")
    registry = LocalRegistry(tmp_path / "kept")
    monkeypatch.setattr(publication, "_registry", lambda environment: registry)
    return folder


def test_it_works(kept, tmp_path):
    folder = tmp_path / "volume/arkham/1.0.0"
    fetch_missing(folder, {})
    assert load_version(folder).sha256 == load_version(kept).sha256


def test_what_broke_off_is_fetched_again(kept, tmp_path):
    folder = tmp_path / "volume/arkham/1.0.0"
    folder.mkdir(parents=True)
    (folder / "flags.pkl").write_bytes(b"half")
    fetch_missing(folder, {})
    assert load_version(folder).sha256 == load_version(kept).sha256


def test_what_is_there_is_left_alone(kept):
    fetch_missing(kept, {"no": "registry is asked"})
    assert load_version(kept)


def test_a_version_that_is_nowhere_is_named(kept, tmp_path):
    with pytest.raises(RegistryError, match=r"has no version '9\.9\.9' of arkham"):
        fetch_missing(tmp_path / "volume/arkham/9.9.9", {})
