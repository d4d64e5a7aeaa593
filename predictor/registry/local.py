"""The local folder of versions, ``<root>/<model>/<version>/``, from which the server serves."""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from predictor.artifacts.durable import move_into_place
from predictor.artifacts.files import FILES, MODEL, read_metadata
from predictor.artifacts.names import (
    RESERVED_MODEL_NAMES,
    check_model_name,
    check_name,
    passes,
    version_key,
)
from predictor.artifacts.policy import Policy
from predictor.artifacts.version import load_version
from predictor.registry import Progress, RegistryError, unseen

# No name begins with a dot, so an incomplete version is never taken for a model.
_INCOMING = ".incoming"


@dataclass(frozen=True)
class LocalRegistry:
    """Versions kept in a folder."""

    root: Path
    policy: Policy = field(default_factory=Policy)  # the rules under which new versions are checked

    def __str__(self) -> str:
        return f"the folder {self.root}"

    def models(self) -> list[str]:
        """Names of the models that have at least one version, sorted."""
        return sorted(name for name in _folders(self.root, check_model_name) if self.versions(name))

    def reserved(self) -> list[str]:
        """Names of folders that hold versions but that no model may have."""
        names = sorted(RESERVED_MODEL_NAMES)
        return [name for name in names if any((self.root / name).glob(f"*/{MODEL}"))]

    def versions(self, model: str) -> list[str]:
        """The model's versions, lowest first; empty when there is no such model."""
        names = _folders(self.root / check_model_name(model), partial(check_name, "version"))
        return sorted(
            (v for v in names if (self.folder(model, v) / MODEL).is_file()), key=version_key
        )

    def exists(self, model: str, version: str) -> bool:
        """Whether that version is there."""
        return (self.folder(model, version) / MODEL).is_file()

    def folder(self, model: str, version: str) -> Path:
        """The folder of that version, which need not exist. Raises ArtifactError for a bad name."""
        return self.root / check_model_name(model) / check_name("version", version)

    def metadata(self, model: str, version: str) -> Mapping[str, Any]:
        """The version's metadata; see Registry.metadata."""
        return read_metadata(self.folder(model, version))

    def fetch(self, model: str, version: str, into: Path, progress: Progress = unseen) -> Path:
        """Copy a version to ``into/<model>/<version>``; see Registry.fetch."""
        fill = partial(_copy_files, self.folder(model, version), progress)
        return LocalRegistry(into, self.policy).receive(model, version, fill)

    def publish(self, folder: Path, progress: Progress = unseen) -> None:
        """Add a copy of the version in ``folder``; see Registry.publish."""
        self.receive(folder.parent.name, folder.name, partial(_copy_files, folder, progress))

    def receive(self, model: str, version: str, fill: Callable[[Path], None]) -> Path:
        """Have ``fill`` write the version's files to a draft, check them, move them into place.

        Even if the process is killed, the version is there complete or not at all. Raises
        RegistryError when it exists already or cannot be written, ArtifactError when the files
        cannot be served, and what ``fill`` raises.
        """
        folder = self.folder(model, version)
        try:
            with self._incoming() as incoming:
                if folder.exists():
                    raise RegistryError(
                        f"{model} {version} exists already in {self.root}: versions are final"
                    )
                draft = incoming / model / version
                draft.mkdir(parents=True)
                fill(draft)
                load_version(draft, self.policy, chosen=True)
                folder.parent.mkdir(exist_ok=True)
                move_into_place(draft, folder)
        except OSError as error:
            raise RegistryError(
                f"{model} {version} cannot be put into {self.root}: {error.strerror}; "
                "check the folder's permissions and the space on its disk"
            ) from error
        return folder

    @contextmanager
    def _incoming(self) -> Iterator[Path]:
        """An empty folder for drafts, locked by this process; the kernel unlocks it when it dies.

        Another process waits for the lock. The remains of a killed process are deleted.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        incoming = self.root / _INCOMING
        with open(self.root / f"{_INCOMING}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            shutil.rmtree(incoming, ignore_errors=True)
            incoming.mkdir()
            try:
                yield incoming
            finally:
                shutil.rmtree(incoming, ignore_errors=True)


def _copy_files(source: Path, progress: Progress, draft: Path) -> None:
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, draft / name)
            size = (draft / name).stat().st_size
            progress(name, size, size)


def _folders(root: Path, check: Callable[[str], str]) -> list[str]:
    """Names of the sub-folders that ``check`` accepts; drafts and other folders are skipped."""
    if not root.is_dir():
        return []
    return [entry.name for entry in root.iterdir() if entry.is_dir() and passes(check, entry.name)]
