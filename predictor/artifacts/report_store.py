"""An examination's findings about a version, kept outside of it by the SHA-256 of its files.

One JSON file per version in the store's folder, named after its fingerprint. Other results that are
computed once (a table of scores) may be next to it under the same name.
"""

import hashlib
import json
import logging
import os
import platform
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

from .durable import replace_file
from .errors import ArtifactError
from .files import installed_version
from .pickles.allowlist import TABLE
from .policy import Policy
from .scores import ScoreKind
from .untrusted import load_json

logger = logging.getLogger(__name__)

# Environment variables by which numpy's libraries choose kernels, and so the last bits of results.
# (Not KMP_: these concern threads, and importing scikit-learn sets some.)
_NUMERIC = ("BLIS_", "GLIBC_TUNABLES", "GOTO_", "MKL_", "NPY_", "OMP_", "OPENBLAS_")


@dataclass(frozen=True)
class Report:
    """The verdict on a version, and the findings; ``reason`` is empty when it is accepted."""

    reason: str = ""
    sha256: str = ""  # fingerprint of the version's files
    estimator: str = ""
    scores: str = ""  # probability, hard or value
    shortcut: bool = False  # a shortcut was proven to give the estimator's numbers
    features: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)  # of the libraries it was made with
    names: list[str] = field(default_factory=list)  # that the estimator's pickle imports
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # rows without an answer, and other remarks
    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)  # findings; see discovery/
    trial: list[Any] = field(default_factory=list)  # a row that it answered
    typical: dict[str, Any] = field(default_factory=dict)  # a value of each number and text
    pairing: list[str] = field(default_factory=list)  # class → flag, of a classifier
    signature: str = ""  # who signed it, when a key is set
    checked: str = ""  # ISO 8601, when it was tried
    seconds: float = 0.0  # how long that took

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Report":
        """A report from a process or a file. Raises TypeError when it is not one.

        The process ran the version's code, and may have sent anything.
        """
        report, kinds = cls(**found), cls()
        for name, value in vars(report).items():
            wanted = type(getattr(kinds, name))
            if not isinstance(value, wanted | int if wanted is float else wanted):
                raise TypeError(f"{name} is a {type(value).__name__}")
        texts = [*report.features, *report.flags, *report.names, *report.warnings, *report.notes,
                 *report.pairing, *report.versions.values()]  # fmt: skip
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text is something else")
        if report.accepted and report.scores not in get_args(ScoreKind):
            raise TypeError("its scores are of no kind")
        return report

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The row that it answered, in the scorer's form."""
        cells = [tuple(cell) if isinstance(cell, list) else cell for cell in self.trial]
        return [tuple(cells)] if cells else []

    def for_scoring(self) -> dict[str, Any]:
        """The findings that a scorer process needs."""
        known = asdict(self)
        return {name: known[name] for name in ("sha256", "shortcut", "kinds", "flags", "trial")}

    @property
    def accepted(self) -> bool:
        return not self.reason

    def summary(self) -> dict[str, Any]:
        """The part that /api/info and admin show."""
        return {
            "verdict": "accepted" if self.accepted else "refused",
            "reason": self.reason,
            "checked": self.checked,
            "estimator": self.estimator,
            "made_with": self.versions,
            "running": {"scikit-learn": installed_version("scikit-learn")},
            "pairing": self.pairing,
            "found_out": self.kinds,
            "notes": self.notes,
            "signature": self.signature or "not asked for",
        }


# Reports of this process, for when there is no folder or its disk is full.
_remembered: dict[str, Any] = {}


class ReportStore:
    """Reports and serial numbers: files in the policy's folder, and this process's memory."""

    def __init__(self, policy: Policy) -> None:
        self._folder = writable(policy.store) if policy.store else None
        self._places = readable(policy.store) if policy.store else []
        self._circumstances = circumstances(policy)

    def find(self, fingerprint: str) -> Report | None:
        """The report on that version under the same rules and libraries, or None."""
        kept = self._read(f"{fingerprint}.json")
        if kept.get("circumstances") != self._circumstances:
            return None
        try:
            return Report.of(kept["report"])
        except (KeyError, TypeError):
            return None

    def keep(self, report: Report) -> None:
        """Remember ``report``."""
        kept = {"circumstances": self._circumstances, "report": asdict(report)}
        self._write(f"{report.sha256}.json", kept)

    def serial(self, model: str) -> int:
        """The highest serial number that was ever accepted for ``model``; 0 at first."""
        serial = self._read(f"{model}.serial.json").get("serial", 0)
        return serial if isinstance(serial, int) else 0

    def keep_serial(self, model: str, serial: int) -> None:
        """Remember that ``serial`` was accepted for ``model``, if it is the highest."""
        if serial > self.serial(model):
            self._write(f"{model}.serial.json", {"serial": serial})

    def _read(self, name: str) -> Mapping[str, Any]:
        kept: Any = None
        for folder in self._places:
            with suppress(OSError, ArtifactError):  # not there, or damaged
                kept = load_json(name, (folder / name).read_bytes())
                break
        if not isinstance(kept, dict):
            kept = _remembered.get(f"{self._folder}/{name}", {})
        return kept  # type: ignore[no-any-return] # a dictionary, as was just made sure

    def _write(self, name: str, content: Any) -> None:
        _remembered[f"{self._folder}/{name}"] = content
        if self._folder is None:
            return
        try:
            replace_file(self._folder / name, json.dumps(content, indent=1).encode())
        except OSError as error:
            logger.warning("%s cannot be kept in %s: %s", name, self._folder, error.strerror)


def writable(folder: Path) -> Path:
    """``folder``, made if needed; if that fails, a private one among temporary files."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError:
        pass
    else:
        if os.access(folder, os.W_OK):
            return folder
    private = Path(tempfile.gettempdir()) / f"batcomputer-checked-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.is_symlink() or private.stat().st_uid != os.getuid():
        raise PermissionError(f"{private} belongs to another user; remove it or set MODELS_DIR")
    return private


def readable(folder: Path) -> list[Path]:
    """Where to look: first the folder this process may write, then the one in the image."""
    return list(dict.fromkeys([writable(folder), folder]))


def numeric_settings() -> dict[str, str]:
    """The environment variables that change how numbers are computed, threads excepted."""
    return {
        key: value
        for key, value in sorted(os.environ.items())
        if key.startswith(_NUMERIC) and not key.endswith("_NUM_THREADS")
    }


def circumstances(policy: Policy) -> dict[str, Any]:
    """Everything besides the version's files on which a verdict and a table depend."""
    return {
        "python": platform.python_version(),
        **_libraries(),
        "list": _list_digest(),
        "modules": sorted(policy.modules),
        "other_sklearn": policy.other_sklearn,
        "limits": asdict(policy.limits),
        "numeric": numeric_settings(),
    }


def _libraries() -> dict[str, str]:
    return {name: installed_version(name) for name in ("numpy", "scipy", "scikit-learn")}


@cache
def _list_digest() -> str:
    """Changes with the allow-list and with the code that applies it."""
    digest = hashlib.sha256(TABLE.read_bytes())
    for module in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()
