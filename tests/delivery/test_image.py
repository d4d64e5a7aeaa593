"""The container image, built for real where that is possible."""

import os
import shutil
import subprocess

import pytest

from tests.servers import ROOT

TOOLS = ("buildah", "debootstrap", "unshare")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_only_what_the_dockerfile_copies_reaches_the_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        source.rstrip("/")
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert copied - {"${MODELS}"} == allowed - {"models"}
    assert "ARG MODELS=models" in DOCKERFILE
    assert "*" in lines


def test_what_it_copies_exists():
    assert all((ROOT / path).exists() for path in ("batcomputer/smoke.py", "gunicorn.conf.py"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can build an image")
@pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason="apt-get install buildah debootstrap builds an image"
)
def test_it_runs_as_promised():
    """scripts/image-test prints each promise that it proves."""
    done = subprocess.run(
        ["scripts/image-test"],
        cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
