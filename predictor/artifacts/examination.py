"""The full examination of a version: inspected, loaded, its arrays checked, tried out.

It runs what the version holds, so a version nobody has vouched for is examined in a process of
its own (``quarantine.py``).
"""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sklearn

from .contract import Contract, Feature
from .errors import ArtifactError, ScoringError
from .files import MODEL, VersionFiles
from .inputs import Cell, Row
from .pickles.blueprint import Made, parts
from .policy import Policy
from .scoring import Scorer
from .states import check_states, make_single_threaded
from .support import read_support
from .unpickling import inspect_estimator, load_estimator, read_contract
from .untrusted import sentence
from .verdicts import Report

_BATCH = 1_000
_MAX_REASON = 1_000  # characters; a library's own message is part of it
_EXTREMES = (-1e300, -1e9, -1.0, 1.0, 1e9, 1e300)  # for numbers without bounds


def examine(files: VersionFiles, policy: Policy) -> Report:
    """Judge a version; what is wrong with it is the report's reason, never an exception."""
    started = time.perf_counter()
    found: dict[str, Any] = {"sha256": files.fingerprint}
    try:
        _examine(files, policy, found)
    except ArtifactError as error:
        found["reason"] = sentence(str(error), _MAX_REASON)
    except Exception as error:  # noqa: BLE001 - a foreign estimator may raise anything at all
        said = sentence(str(error), 200)
        found["reason"] = f"trying the model failed: {type(error).__name__}: {said}"
    return Report(
        **found,
        checked=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - started, 3),
    )


def _examine(files: VersionFiles, policy: Policy, found: dict[str, Any]) -> None:
    contract = read_contract(files, policy)
    found["features"] = [feature.name for feature in contract.features]
    found["flags"] = contract.flag_names
    read_support(files, contract)
    inspection = inspect_estimator(files.content[MODEL], policy)
    found["names"] = inspection.names
    if isinstance(inspection.root, Made):
        found["estimator"] = _described(inspection.root)
    if inspection.refusal:
        raise ArtifactError(f"{MODEL} {inspection.refusal}")
    made_with = _sklearn_versions(inspection.root)
    found["versions"] = {"scikit-learn": ", ".join(made_with)} if made_with else {}
    found["warnings"] = [*_judge_versions(made_with, policy), *_twins(contract)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        estimator = load_estimator(MODEL, files.content[MODEL], policy, inspection)
        check_states(estimator)
        make_single_threaded(estimator)
        scorer = Scorer(contract, estimator)
        found["scores"], found["shortcut"] = scorer.kind, scorer.has_shortcut
        _try(scorer, contract)


def _try(scorer: Scorer, contract: Contract) -> None:
    """Score every label and every bound; then numbers far out, which may fail but not crash."""
    rows = list(_declared_rows(contract, scorer.trial))
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        try:
            scorer.score(batch)
        except ScoringError:
            _name_the_row(scorer, contract, batch)
    for value in _EXTREMES:
        row = [
            value if f.labels is None and f.minimum is None and f.maximum is None else cell
            for f, cell in zip(contract.features, scorer.trial, strict=True)
        ]
        try:
            scorer.score([tuple(row)])
        except ScoringError:
            continue


def _name_the_row(scorer: Scorer, contract: Contract, batch: Sequence[Row]) -> None:
    for row in batch:
        try:
            scorer.score([row])
        except ScoringError as error:
            item = dict(zip((f.name for f in contract.features), row, strict=True))
            raise ArtifactError(f"a trial score of {item!s:.300} failed: {error}") from error


def _declared_rows(contract: Contract, trial: Row) -> Iterator[Row]:
    """Rows that together hold every label and every declared bound at least once."""
    values = [
        _declared(feature, cell) for feature, cell in zip(contract.features, trial, strict=True)
    ]
    for index in range(max(map(len, values))):
        yield tuple(cells[index % len(cells)] for cells in values)


def _declared(feature: Feature, cell: Cell) -> list[Cell]:
    if feature.labels is not None:
        as_text = feature.passed_as == "label"
        return list(feature.labels) if as_text else list(feature.labels.values())
    low, high = feature.minimum, feature.maximum
    lowest = low if low is None or not feature.integer else math.ceil(low)
    highest = high if high is None or not feature.integer else math.floor(high)
    return [cell, *(bound for bound in (lowest, highest) if bound is not None)]


def _judge_versions(made_with: Sequence[str], policy: Policy) -> list[str]:
    """Another minor version lays its compiled parts out differently."""
    running = sklearn.__version__  # the package's own file cannot be read where this runs
    others = [version for version in made_with if version != running]
    if not others:
        return []
    if any(_minor(version) != _minor(running) for version in others) and not policy.other_sklearn:
        raise ArtifactError(
            f"{MODEL} was made with scikit-learn {others[0]}, and this is {running}: "
            "train it again, or let other versions in with MODEL_ALLOW_OTHER_SKLEARN"
        )
    return [f"made with scikit-learn {others[0]}, running {running}: scores may differ"]


def _twins(contract: Contract) -> Iterator[str]:
    """Names that people would take for the same."""
    groups = {"features": [f.name for f in contract.features], "flags": contract.flag_names}
    groups |= {f"labels of {f.name}": list(f.labels or {}) for f in contract.features}
    for what, names in groups.items():
        seen: dict[str, str] = {}
        for name in names:
            twin = seen.setdefault(name.strip().casefold(), name)
            if twin != name:
                yield f"two {what} differ only in case or space: {twin!r} and {name!r}"


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _sklearn_versions(root: Any) -> list[str]:
    """The scikit-learn versions that the drawn objects say they were made with."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Made) and isinstance(
            version := thing.attribute("_sklearn_version"), str
        ):
            found.add(sentence(version, 40))
        waiting.extend(parts(thing))
    return sorted(found)


def _described(thing: Any) -> str:
    """``Pipeline(StandardScaler, LogisticRegression)``."""
    if not isinstance(thing, Made):
        return f"a {type(thing).__name__}"
    inner = []
    for key in ("steps", "transformers", "estimators", "estimator", "base_estimator"):
        value = thing.attribute(key)
        pairs = value if isinstance(value, list) else [value]
        members = [p[1] if isinstance(p, tuple) and len(p) > 1 else p for p in pairs]
        inner += [member.cls.name for member in members if isinstance(member, Made)]
    return f"{thing.cls.name}({', '.join(inner)})" if inner else thing.cls.name
