"""scripts/get-pickles.sh in a clone that is set up: everything it needs stands in .env."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from predictor.registry.azure import AzureRegistry
from tests import bundles
from tests.servers import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path):
    """A clone whose .venv is this one, so that nothing is installed."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "batcomputer", folder / "batcomputer")
    shutil.copy(ROOT / "manage.py", folder)
    for name in ("requirements.txt", "scripts", "predictor", "batclient"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        (folder / ".venv" / path.name).symlink_to(path)
    stamp = folder / ".venv/installed-requirements"
    stamp.unlink(missing_ok=True)
    shutil.copy(ROOT / "requirements.txt", stamp)
    return folder


@pytest.fixture
def get(account, tmp_path, clone):
    """Runs the script for what the storage account holds: two versions of arkham."""
    registry = AzureRegistry.from_environment(account.environment)
    for version in ("1.0.0", "1.1.0"):
        registry.publish(bundles.install(tmp_path / "made", version=version))

    def run(*arguments, **settings):
        lines = {**account.environment, "BLOB_CONTAINER": "arkham", **settings}
        (clone / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(
            ["sh", clone / "scripts/get-pickles.sh", *arguments],
            cwd=clone, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return sorted(path.name for path in (clone / "models/arkham").iterdir())

    return run


def test_it_works(get, clone):
    assert get() == ["1.1.0"], "the latest"
    pickles = {path.name for path in (clone / "models/arkham/1.1.0").glob("*.pkl")}
    assert pickles == {"flags.pkl", "lookup.pkl", "model.pkl"}


def test_the_version_may_be_named(get):
    assert get(VERSION="1.0.0") == ["1.0.0"]
    assert get("arkham", "1.1.0", VERSION="1.0.0") == ["1.0.0", "1.1.0"]
