"""How sure a model is: the support table that training may export with the pickles.

``support.json`` lists, for every combination of some features' values, how many similar cases the
model learnt from and an interval for each flag::

    {"n_note": "crimes of this type recorded by this force",     what n counts, for people
     "interval_note": "the share in 95 of 100 such months",      what the intervals hold
     "features": {"force": ["Kent Police", …], "month": [1, …]},
     "n": [4812, …],                                         the last feature varies fastest
     "interval": {"caughtProb": {"low": [0.05, …], "high": [0.09, …]}, …}}
"""

import math
import operator
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .contract import Contract, Feature
from .errors import ArtifactError
from .files import SUPPORT, VersionFiles
from .inputs import Cell, Row
from .kinds import NUMBER, WHOLE
from .untrusted import MAX_WORDS, is_clean, load_json, sentence
from .wrong_values import WrongValueError

DETAILS = "details"  # the key of an answer's support, so no flag may have this name
MAX_CELLS = 1_000_000
_MAX_COUNT = 2**53  # whole numbers up to here are exact as floats


@dataclass(frozen=True, slots=True)
class Support:
    """The support of one answer: ``n`` similar cases, and (low, high) for each flag."""

    n: int
    interval: dict[str, tuple[float, float]]

    def as_json(self) -> dict[str, Any]:
        return {"n": self.n, "interval": {flag: list(span) for flag, span in self.interval.items()}}


class SupportTable:
    """The support of every answer, looked up by the cells of its row."""

    def __init__(self, data: bytes, contract: Contract) -> None:
        """Read ``support.json``. Raises ArtifactError when it does not fit the contract."""
        table = _mapping("the file", load_json(SUPPORT, data))
        self.n_note = _words(table, "n_note")
        self.interval_note = _words(table, "interval_note")
        self._axes = _axes(_mapping("features", table.get("features")), contract)
        cells = math.prod(len(steps) for _, steps in self._axes)
        if cells > MAX_CELLS:
            raise ArtifactError(f"{SUPPORT} has {cells:,} cells; at most {MAX_CELLS:,}")
        if DETAILS in contract.flag_names:
            raise ArtifactError(f"a model with {SUPPORT} cannot have a flag called {DETAILS!r}")
        self._n = _column("n", table.get("n"), cells)
        if min(self._n, default=0) < 0 or max(self._n, default=0) > _MAX_COUNT:
            raise ArtifactError(f"{SUPPORT}: n must hold counts, none below 0 or beyond 2**53")
        intervals = _mapping("interval", table.get("interval"))
        if set(intervals) != set(contract.flag_names):
            raise ArtifactError(f"{SUPPORT}: interval must name exactly the flags of flags.pkl")
        self._bounds = {flag: _bounds(flag, intervals[flag], cells) for flag in contract.flag_names}

    def of(self, row: Row) -> Support | None:
        """The support of the answer to ``row``; None where the table has none."""
        at = 0
        for position, steps in self._axes:
            step = steps.get(row[position])
            if step is None:
                return None
            at = at * len(steps) + step
        interval = {flag: (low[at], high[at]) for flag, (low, high) in self._bounds.items()}
        return Support(int(self._n[at]), interval)


def read_support(files: VersionFiles, contract: Contract) -> SupportTable | None:
    """The support table of a version that has one; raises ArtifactError when it is broken."""
    data = files.content.get(SUPPORT)
    return None if data is None else SupportTable(data, contract)


# a compact array without numpy, which a server with a table does not load
_Column: TypeAlias = "array[float]"


def _axes(features: Mapping[str, Any], contract: Contract) -> list[tuple[int, dict[Cell, int]]]:
    """(position in the row, cell → step along this axis) of every feature of the table."""
    known = {feature.name: position for position, feature in enumerate(contract.features)}
    axes = []
    for name, values in features.items():
        if name not in known:
            raise ArtifactError(
                f"{SUPPORT} is about {sentence(name, 60)!r}, which is not a feature of the model"
            )
        cells = _cells(contract.features[known[name]], values)
        axes.append((known[name], {cell: step for step, cell in enumerate(cells)}))
        if len(axes[-1][1]) != len(cells):
            raise ArtifactError(f"{SUPPORT}: features.{name} has the same value twice")
    return axes


def _cells(feature: Feature, values: Any) -> list[Cell]:
    if not isinstance(values, list):
        raise ArtifactError(f"{SUPPORT}: features.{feature.name} must be a list")
    if feature.kind in (NUMBER, WHOLE):
        return [_number(f"features.{feature.name}", value) for value in values]
    read = feature.reader()
    try:
        return [read(value) for value in values]
    except WrongValueError as wrong:
        raise ArtifactError(f"{SUPPORT}: features.{feature.name}: {wrong}") from wrong


def _words(table: Mapping[str, Any], key: str) -> str:
    words = table.get(key, "")
    if not isinstance(words, str) or len(words) > MAX_WORDS or not is_clean(words):
        raise ArtifactError(f"{SUPPORT}: {key} must be text of at most {MAX_WORDS:,} characters")
    return words


def _bounds(flag: str, interval: Any, cells: int) -> tuple[_Column, _Column]:
    interval = _mapping(f"interval.{flag}", interval)
    low, high = (_column(f"interval.{flag}.{k}", interval.get(k), cells) for k in ("low", "high"))
    if any(map(operator.gt, low, high)):
        raise ArtifactError(f"{SUPPORT}: interval.{flag} has a low above its high")
    return low, high


def _column(what: str, values: Any, cells: int) -> _Column:
    if not isinstance(values, list) or len(values) != cells:
        raise ArtifactError(f"{SUPPORT}: {what} must be a list of {cells:,} numbers")
    return array("d", [_number(what, value) for value in values])


def _number(what: str, value: Any) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        number = float(value) if usable else math.nan
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise ArtifactError(f"{SUPPORT}: {what} must hold finite numbers")
    return number


def _mapping(what: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ArtifactError(f"{SUPPORT}: {what} must be an object")
    return value
