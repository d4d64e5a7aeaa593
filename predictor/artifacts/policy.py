"""Which model versions the operator allows, and where their code may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .contract import Contract
from .errors import ArtifactError
from .scores import Scoring
from .setting import given, listed, truth, whole


@dataclass(frozen=True)
class Limits:
    """Limits of a version's size, memory and time; a version beyond them is refused."""

    model_bytes: int = 2**30
    plain_bytes: int = 8 * 2**20  # lookup.pkl, flags.pkl and metadata.json, each
    support_bytes: int = 64 * 2**20
    steps: int = 3_000_000  # pickle opcodes
    nesting: int = 200  # containers and objects within each other
    memory: int = 4 * 2**30  # bytes of address space the trial may use
    seconds: int = 30  # of processor time the trial may use


class TaskResult(NamedTuple):
    """The result of a task in another process: its answer, its exit status, its last words."""

    answer: bytes
    status: int  # exit status; negative: the signal that ended it
    said: str = ""


class Sandbox(Protocol):
    """Where a version's code may run; ``predictor.scoring`` has the server's sandbox."""

    def run(self, task: str, files: Any, policy: Policy, report: Any = None) -> TaskResult:
        """``examine`` or ``tabulate`` VersionFiles; ``report``: the findings so far.

        Raises ArtifactError, and TimeoutError.
        """

    def scorer(self, files: Any, contract: Contract, policy: Policy, report: Any) -> Scoring:
        """The scorer of examined VersionFiles. Raises ArtifactError."""


@dataclass(frozen=True)
class Policy:
    """How versions are judged. The default suits a notebook: no signature, nothing kept.

    ``modules`` are modules of other libraries whose classes may be loaded (``lightgbm.sklearn``).
    ``public_key`` (base64 of 32 bytes, or PEM) makes a signature obligatory. ``store`` is the
    folder for reports, so that no version is tried twice, and for the tables of models with at
    most ``cells`` different inputs. Without a ``room``, a version is examined in a separate process
    and scored in this one.
    """

    limits: Limits = field(default_factory=Limits)
    modules: frozenset[str] = frozenset()
    public_key: str = ""
    other_sklearn: bool = False
    store: Path | None = None
    cells: int = 250_000
    confined: bool = False  # refuse to run a version where the system cannot confine it
    room: Sandbox | None = field(default=None, compare=False)
    scorers: int = field(default=1, compare=False)  # scorer processes per version in the room

    def as_json(self) -> dict[str, Any]:
        """The part of the policy that a process running a version needs."""
        return {
            "limits": asdict(self.limits),
            "modules": sorted(self.modules),
            "other_sklearn": self.other_sklearn,
            "cells": self.cells,
            "confined": self.confined,
        }

    @classmethod
    def from_json(cls, sent: Mapping[str, Any]) -> Policy:
        """The inverse of ``as_json``."""
        return cls(
            limits=Limits(**sent["limits"]),
            modules=frozenset(sent["modules"]),
            other_sklearn=sent["other_sklearn"],
            cells=sent["cells"],
            confined=sent["confined"],
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Policy:
        """The policy of the server's settings, for programs without Django; it keeps no verdict.

        Raises ArtifactError for a setting with an invalid value.
        """
        try:
            return cls._read(environment)
        except ValueError as error:
            raise ArtifactError(str(error)) from None

    @classmethod
    def _read(cls, settings: Mapping[str, str]) -> Policy:
        standard = Limits()
        megabytes, memory = standard.model_bytes >> 20, standard.memory >> 20
        return cls(
            limits=Limits(
                model_bytes=given(settings, "MODEL_MAX_MB", megabytes, whole, 1) << 20,
                memory=given(settings, "MODEL_MAX_MEMORY_MB", memory, whole, 1) << 20,
                seconds=given(settings, "MODEL_MAX_SECONDS", standard.seconds, whole, 1),
            ),
            modules=frozenset(listed(settings.get("MODEL_ALLOW_MODULES", ""))),
            public_key=settings.get("MODEL_PUBLIC_KEY", ""),
            other_sklearn=given(settings, "MODEL_ALLOW_OTHER_SKLEARN", False, truth),
            cells=given(settings, "TABLE_CELLS", cls.cells, whole),
            confined=settings.get("SCORER_CONFINEMENT") == "required",
        )
