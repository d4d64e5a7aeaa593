"""The files of one version: read, hashed, written.

Each file is read once; the bytes that were hashed are the bytes that are loaded, so what was
checked is what runs.
"""

import hashlib
import json
import os
import pickle
import platform
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import version as read_installed_version
from pathlib import Path
from typing import Any

from .contract import build_contract
from .durable import move_into_place
from .errors import ArtifactError
from .names import check_model_name, check_name
from .policy import Limits
from .untrusted import read_json, sentence

MODEL, LOOKUP, FLAGS, METADATA = "model.pkl", "lookup.pkl", "flags.pkl", "metadata.json"
SUPPORT = "support.json"
CASES = "cases.csv"  # what the version is judged on; see predictor/evidence/cases.py
PICKLES = (MODEL, LOOKUP, FLAGS)
OPTIONAL = (METADATA, SUPPORT, CASES)
SIGNATURE = "metadata.json.sig"  # written by manage.py sign_model; not part of the fingerprint
FILES = (*PICKLES, *OPTIONAL, SIGNATURE)  # every file a version may hold

installed_version = cache(read_installed_version)  # cached: it takes milliseconds


def most_bytes(file: str, limits: Limits) -> int:
    """The largest allowed size of one of FILES."""
    own = {MODEL: limits.model_bytes, SUPPORT: limits.support_bytes, CASES: limits.support_bytes}
    return own.get(file, limits.plain_bytes)


@dataclass(frozen=True)
class VersionFiles:
    """The bytes of one version's files, with the SHA-256 of each."""

    folder: Path
    content: Mapping[str, bytes]
    metadata: Mapping[str, Any]

    @cached_property
    def sha256(self) -> dict[str, str]:
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.content.items()}

    @cached_property
    def fingerprint(self) -> str:
        """One SHA-256 over the hashes of all files: identifies exactly this version in the log."""
        lines = "".join(f"{name} {digest}\n" for name, digest in sorted(self.sha256.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def read_version(folder: Path, limits: Limits | None = None) -> VersionFiles:
    """Read a version's files and check them against the hashes in ``metadata.json``.

    Raises ArtifactError when a pickle is missing or too large, or a hash differs.
    """
    if not folder.is_dir():
        raise ArtifactError(f"there is no folder {folder}")
    limits = limits or Limits()
    # a broken link counts as a file too: every file in the folder is read or refused
    there = [name for name in OPTIONAL if os.path.lexists(folder / name)]
    content = {
        name: read_file(folder / name, most_bytes(name, limits)) for name in (*PICKLES, *there)
    }
    metadata = read_json(METADATA, content.get(METADATA, b"{}"))
    files = VersionFiles(folder, content, metadata)
    _check_hashes(files)
    return files


def read_metadata(folder: Path) -> dict[str, Any]:
    """A version's metadata.json, read without its pickles; empty when there is none.

    Raises ArtifactError when its metadata cannot be read.
    """
    path = folder / METADATA
    return read_json(METADATA, read_file(path, Limits().plain_bytes)) if path.exists() else {}


def read_title(folder: Path) -> str:
    """The title in a version's metadata, read without its pickles; empty when there is none.

    Raises ArtifactError when its metadata cannot be read.
    """
    title = read_metadata(folder).get("title", "")
    return title if isinstance(title, str) else ""


def write_version(  # noqa: PLR0913 - the folder and its content
    folder: Path,
    estimator: Any,
    lookup: Mapping[str, Any],
    flags: list[str],
    metadata: Mapping[str, Any] | None = None,
    support: Mapping[str, Any] | None = None,
    cases: bytes | None = None,
) -> Path:
    """Write ``folder`` (``…/<model>/<version>``) with the three pickles and ``metadata.json``.

    ``support``, if given, becomes ``support.json``; support.py describes it. ``cases`` are
    the bytes of ``cases.csv``. Name, version, time, library versions and hashes are added to
    ``metadata``. The folder appears complete or not at all. Raises ArtifactError when it exists or
    the parts disagree.
    """
    name, version = check_model_name(folder.parent.name), check_name("version", folder.name)
    if folder.exists():
        raise ArtifactError(
            f"{name} {version} exists already in {folder.parent}: versions are final"
        )
    build_contract(lookup, flags, metadata)
    content = {
        MODEL: pickle.dumps(estimator, protocol=5),
        LOOKUP: pickle.dumps(lookup, protocol=5),
        FLAGS: pickle.dumps(flags, protocol=5),
    }
    if support is not None:
        content[SUPPORT] = json.dumps(support, ensure_ascii=False, separators=(",", ":")).encode()
    if cases is not None:
        content[CASES] = cases
    described = {
        "name": name,
        "version": version,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "sklearn_version": installed_version("scikit-learn"),
        "python_version": platform.python_version(),
        **(metadata or {}),
        "files": {
            file: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for file, data in content.items()
        },
    }
    content[METADATA] = json.dumps(described, indent=2, ensure_ascii=False).encode()
    _write_folder(folder, content)
    return folder


def _write_folder(folder: Path, content: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # no name begins with a dot, so no reader of the registry sees the half-written folder
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, data in content.items():
            (draft / name).write_bytes(data)
        draft.chmod(0o755)  # mkdtemp makes it private; the server may run as another user
        move_into_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a regular file. Raises ArtifactError for anything else, or beyond ``limit``."""
    try:
        # not blocking, or opening a pipe would wait for its writer
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:
            there = os.fstat(file.fileno())
            if not stat.S_ISREG(there.st_mode):
                raise ArtifactError(f"{path.name} is not a regular file in {path.parent}")
            # by the file's size: read() allocates as much memory as it is asked for
            data = file.read(there.st_size + 1) if there.st_size <= limit else None
    except FileNotFoundError:
        raise ArtifactError(
            f"{path.name} is missing in {path.parent}{_named_otherwise(path)}"
        ) from None
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {error.strerror}") from error
    if data is None or len(data) > limit:
        raise ArtifactError(f"{path.name} is larger than {limit:,} bytes")
    return data


def _named_otherwise(path: Path) -> str:
    """Which file is there instead, and how to make the missing one from it."""
    others = ("joblib", "pkl.gz", "pkl.bz2", "pkl.xz", "pickle", "sav", "pk")
    for other in (f"{path.stem}.{ending}" for ending in others):
        if (path.parent / other).is_file():
            rewrite = f'pickle.dump(joblib.load("{other}"), open("{path.name}", "wb"))'
            return f", but {other} is there: {rewrite}"
    return ""


def _check_hashes(files: VersionFiles) -> None:
    listed = files.metadata.get("files", {})
    if not isinstance(listed, dict):
        raise ArtifactError("metadata.json: files must be an object")
    actual = files.sha256
    for name, entry in listed.items():
        shown = sentence(name, 60)
        if not isinstance(entry, dict) or "sha256" not in entry:
            raise ArtifactError(f"metadata.json: files.{shown} has no sha256")
        if name not in actual:
            raise ArtifactError(f"{shown} is listed in metadata.json but missing in {files.folder}")
        if entry["sha256"] != actual[name]:
            raise ArtifactError(
                f"{name} is not the file that metadata.json describes: its SHA-256 is "
                f"{actual[name][:12]}…, not {sentence(str(entry['sha256']), 12)}"
            )
