"""The interface of every side of the comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.models import MADE, Item, Subject

PROGRAMS = Path(__file__).parent / "programs"
WORKERS = "2"
CONNECTIONS = (1, 32)


@dataclass(frozen=True)
class Place:
    """What a side gets to start with: its own folder and port, and the model."""

    folder: Path
    port: int
    subject: Subject
    database: str  # a DATABASE_URL, for sides with a log


@dataclass(frozen=True)
class Side:
    """One way of serving a model; scores are rows of floats in the order of the flags."""

    name: str
    title: str
    model: str = "crime"
    rows: int = 1  # per request: one is sent as an object, more as an array
    settings: dict[str, str] = field(default_factory=dict)
    database: str = "sqlite"
    connections: tuple[int, ...] = CONNECTIONS  # of its loads

    packages = ""  # for pip in the side's own environment; empty: use ours
    environment_name = ""
    answers_scores = True
    content_type = "application/json"

    def prepare(self, place: Place) -> None:
        """Steps before the start, which are not measured."""

    def command(self, place: Place) -> list[str]:
        """The server's command line."""
        raise NotImplementedError

    def environment(self, place: Place) -> dict[str, str]:
        """The server's environment variables, in addition to PATH and HOME."""
        return {"MODEL_FOLDER": str(place.subject.folder)}

    @property
    def path(self) -> str:
        return "/predict"

    def ask(self, subject: Subject, items: list[Item]) -> bytes:
        """The body of a request to score ``items``."""
        return json.dumps(items if self.rows > 1 else items[0], ensure_ascii=False).encode()

    def understand(self, subject: Subject, body: bytes) -> list[list[float]]:
        """The scores in a response's body."""
        answer = json.loads(body)
        answers = answer if self.rows > 1 else [answer]
        return [[scores[flag] for flag in subject.flags] for scores in answers]

    @property
    def python(self) -> Path:
        """The interpreter of the side's own environment."""
        if not self.packages:
            return Path(sys.executable)
        return MADE / "environments" / self.environment_name / "bin" / "python"

    def install(self) -> None:
        """Create the side's environment, once. Raises CalledProcessError when that fails."""
        folder = self.python.parent.parent
        stamp = folder / "installed"
        if not self.packages or (stamp.exists() and stamp.read_text() == self.packages):
            return
        uv = [sys.executable, "-m", "uv"]
        commands: tuple[list[str], ...] = (
            [*uv, "venv", "--clear", "--python", sys.executable, str(folder)],
            [*uv, "pip", "install", "--python", str(folder), *self.packages.split()],
        )
        for command in commands:
            subprocess.run(command, check=True, capture_output=True, text=True)
        stamp.write_text(self.packages)

    def base_environment(self, place: Place) -> dict[str, str]:
        """PATH, HOME and what ``environment`` adds."""
        path = f"{self.python.parent}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(place.folder), **self.environment(place)}
