"""Copies of this project like a fresh clone: only the files that git knows."""

import shutil
import subprocess
from pathlib import Path

from tests.servers import ROOT


def git_files() -> list[str]:
    """The files that git tracks, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def clone(folder: Path) -> Path:
    """Copy the project to ``folder``."""
    for name in git_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder
