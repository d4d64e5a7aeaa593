"""Where a version comes from: commit, run, code and person, for its metadata."""

import getpass
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent


def origin(environment: Mapping[str, str] = os.environ) -> dict[str, str | bool]:
    """The version's origin; unknown keys are left out.

    ``commit`` and ``dirty`` are from git (``BUILD_SOURCEVERSION`` where a pipeline has no
    repository), ``run`` is the address of the pipeline's or notebook's run (or ``RUN_URL``),
    ``by`` is the person who started it, ``code_sha256`` is of the training code and its rules.
    """
    commit = _git("rev-parse", "HEAD") or environment.get("BUILD_SOURCEVERSION", "")
    found: dict[str, str | bool] = {
        "commit": commit,
        "run": _run(environment),
        "by": environment.get("BUILD_REQUESTEDFOR") or _user(),
        "code_sha256": code_digest(),
    }
    if _git("status", "--porcelain", "--untracked-files=no"):
        found["dirty"] = True
    return {key: value for key, value in found.items() if value}


def code_digest() -> str:
    """SHA-256 over the modules of this package and its rules."""
    files = sorted([*HERE.glob("*.py"), *(HERE / "rules").glob("*.toml")])
    lines = (f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _run(environment: Mapping[str, str]) -> str:
    if named := environment.get("RUN_URL"):
        return named
    names = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")
    place, project, build = (environment.get(name, "") for name in names)
    if not (place and project and build):
        return ""
    return f"{place.rstrip('/')}/{project}/_build/results?buildId={build}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container may have no name
        return ""


def _git(*arguments: str) -> str:
    """The output of git for this file's repository; empty where there is none."""
    git = shutil.which("git")
    if git is None or not (HERE.parent / ".git").exists():
        return ""
    done = subprocess.run(  # noqa: S603 - git itself, with words of our own
        [git, "-C", str(HERE.parent), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
