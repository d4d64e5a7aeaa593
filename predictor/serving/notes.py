"""Notes on disk of the versions that answered last on this machine.

A worker that starts while the database is down reads them, and so does a command, which serves
nothing itself.
"""

import hashlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from predictor.artifacts.durable import replace_file

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LastAnswer:
    """The version that answered for a model, and the process that wrote this."""

    version: str
    sha256: str
    newest: int  # id of the newest Activation it followed; 0: nothing was activated
    process: int
    birth: str  # start time of that process: another may get its id

    def is_current(self) -> bool:
        """Whether the process that wrote it still serves."""
        return bool(self.birth) and _birth(self.process) == self.birth


def keep(root: Path, model: str, version: str, sha256: str, newest: int) -> None:
    """Note which version of ``model`` in ``root`` answers; on a full disk only the note is lost."""
    note = LastAnswer(version, sha256, newest, os.getpid(), _birth(os.getpid()))
    path = _path(root, model)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(asdict(note)).encode())
    except OSError as error:
        logger.warning("what answers cannot be noted: %s", error)


def find(root: Path, model: str) -> LastAnswer | None:
    """The last note about ``model``; None when there is no readable one."""
    try:
        return LastAnswer(**json.loads(_path(root, model).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _path(root: Path, model: str) -> Path:
    """This server's file: other servers may use the same folder with another database."""
    described = settings.DATABASES["default"]
    place = [str(root.absolute()), *(str(described.get(key)) for key in ("HOST", "PORT", "NAME"))]
    key = hashlib.sha256("\n".join(place).encode()).hexdigest()[:12]
    return Path(settings.SPOOL_DIR) / f"answers-{key}-{model}.json"


def _birth(process: int) -> str:
    """The process's start time in the system's units; empty when it has ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
