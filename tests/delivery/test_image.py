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


def needs_a_builder(test):
    root = os.name == "posix" and os.geteuid() == 0
    tools = all(map(shutil.which, TOOLS))
    test = pytest.mark.skipif(not root, reason="only root can build an image")(test)
    return pytest.mark.skipif(
        not tools, reason="apt-get install buildah debootstrap builds an image"
    )(test)


@needs_a_builder
def test_a_disk_without_room_is_named_before_anything_is_built(tmp_path):
    df = tmp_path / "df"
    df.write_text("#!/bin/sh\necho Filesystem 1024-blocks Used Available\necho disk 9 1 2048000\n")
    df.chmod(0o755)
    done = subprocess.run(
        ["scripts/image-test"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": "/tmp"},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    reason = "an image needs 5,000 MB of disk, and /tmp has 2048 MB free"
    assert (done.returncode, done.stderr) == (77, f"cannot run here: {reason}\n")


@pytest.mark.slow
@needs_a_builder
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
