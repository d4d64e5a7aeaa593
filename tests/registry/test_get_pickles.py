"""scripts/get-pickles.sh, for those who know the old way."""

import os
import shutil
import subprocess

import pytest

from predictor.registry.azure import AzureRegistry
from tests import bundles
from tests.azurite import KEY
from tests.servers import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path):
    """A working copy without .env, which uses the packages installed here."""
    folder = tmp_path / "a working copy"
    folder.mkdir()
    for name in ("batcomputer", "batclient", "predictor", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("batcomputer", "scripts"):  # these find their own place, so they must be copies
        (folder / name).unlink()
        shutil.copytree(ROOT / name, folder / name)
    for name in ("manage.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "requirements.txt", folder / ".venv" / "installed-requirements")
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/python" "$@"\n')
    python.chmod(0o755)
    return folder


def get_pickles(checkout, *arguments):
    env = {"PATH": os.environ["PATH"], "HOME": str(checkout)}
    return subprocess.run(
        ["sh", str(checkout / "scripts" / "get-pickles.sh"), *arguments],
        cwd="/", env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def published(account, tmp_path):
    registry = AzureRegistry.from_environment(account.environment)
    for seed, version in enumerate(("1.9.0", "1.10.0")):
        folder = bundles.install(tmp_path, version=version, estimator=bundles.fitted(seed))
        registry.publish(folder)
    return account


def test_it_works(checkout, published):
    (checkout / ".env").write_text(
        f"AZURE_STORAGE_ACCOUNT={published.url}\nAZURE_STORAGE_KEY={KEY}\n"
        "BLOB_CONTAINER=arkham\nVERSION=1.9.0\n"
    )
    done = get_pickles(checkout)
    assert done.returncode == 0, done.stderr
    assert "arkham 1.9.0 is checked and now in" in done.stdout
    assert (checkout / "models" / "arkham" / "1.9.0" / "model.pkl").is_file()
    assert "1.10.0 is checked and now in" in get_pickles(checkout, "arkham", "latest").stdout


def test_values_may_be_quoted_and_have_spaces_around(checkout, published):
    (checkout / ".env").write_text(
        f"export AZURE_STORAGE_ACCOUNT='{published.url}'\nAZURE_STORAGE_KEY=\"{KEY}\"\n"
        'BLOB_CONTAINER="arkham" \nVERSION= 1.9.0 \n'
    )
    done = get_pickles(checkout)
    assert done.returncode == 0, done.stderr
    assert "arkham 1.9.0 is checked" in done.stdout


def test_it_rejects_a_wrong_key_in_one_sentence(checkout, published):
    (checkout / ".env").write_text(
        f"AZURE_STORAGE_ACCOUNT={published.url}\nAZURE_STORAGE_KEY=d3Jvbmc=\n"
        "BLOB_CONTAINER=arkham\n"
    )
    done = get_pickles(checkout)
    assert done.returncode == 1
    assert "container arkham: " in done.stderr
    assert "check AZURE_STORAGE_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / "models" / "arkham").exists()


def test_it_rejects_a_missing_env_in_one_sentence(checkout):
    done = get_pickles(checkout)
    assert done.returncode == 1
    assert "set AZURE_STORAGE_ACCOUNT" in done.stderr
    assert "Traceback" not in done.stderr
