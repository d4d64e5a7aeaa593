"""Caches in this process: work on a version is not repeated for an equal one in another test."""

import pickle
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from predictor.artifacts import direct, version
from predictor.artifacts.files import VersionFiles
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_store import Report
from predictor.artifacts.tabulation import tabulate_version

loaded: dict[Any, version.ModelVersion] = {}
_proven: dict[Any, bool] = {}
_prove = direct.shortcut


def _key(files: VersionFiles, policy: Policy, chosen: bool) -> Any:
    return files.folder.parts[-2:], files.fingerprint, policy, chosen


def is_prepared(files: VersionFiles, policy: Policy) -> bool:
    """A version that was loaded before is prepared."""
    known = any(_key(files, policy, chosen) in loaded for chosen in (False, True))
    return known or version.is_prepared(files, policy)


def load_prepared(
    files: VersionFiles, policy: Policy, *, chosen: bool = False
) -> version.ModelVersion:
    """Load a version, or return it from the cache: versions never change, so tests share them."""
    key = _key(files, policy, chosen)
    if key not in loaded or policy.public_key:  # the signature may be another
        loaded[key] = version.load_prepared(files, policy, chosen=chosen)
    return loaded[key]


def shortcut(
    estimator: Any, own: direct.ScoreFunction, sample: Sequence[Any]
) -> direct.ScoreFunction | None:
    """Cached, since a proof calls the estimator 66 times, with the same result for equal rows."""
    said = (pickle.dumps(estimator), *(rows.tobytes() for rows in sample))
    key = direct._shortcut_of, sha256(b"".join(said)).hexdigest()
    if key not in _proven:
        _proven[key] = _prove(estimator, own, sample) is not None
    return direct._shortcut_of(estimator) if _proven[key] else None


def tabulate(files: VersionFiles, policy: Policy, report: Report) -> memoryview:
    """Tabulate in this process, not in a separate one."""
    return memoryview(tabulate_version(files, policy, report))
