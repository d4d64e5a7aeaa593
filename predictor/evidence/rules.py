"""The rules a model is judged by: a TOML file beside the training code, reviewed like code.

::

    [judge]
    cluster = "force"          # the feature (or column) whose cases are not independent
    fewest_clusters = 10       # with fewer, no interval counts

    [better_than.constant]     # log loss lower than that of this reference, by at least so much
    at_least = 0.02            # even at the lower end of the interval

    [calibration]
    at_most = 0.010            # expected calibration error

    [coverage]                 # share of intervals that hold what happened
    between = [0.93, 0.97]
    of_slice_at_least = 0.88   # in every slice with so many groups
    cells = 30

    [slices]                   # of at least so many cases
    fewest = 2000
    gap_at_most = 0.06         # between stated and actual share
    gain_at_least = -0.010     # over this reference's log loss
    over = "crime rates"

    [unchanged]                # mean change from the twin to what is published
    at_most = 0.02

    [against_active]           # not worse than the version that answers, by more than this margin
    margin = 0.0005
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import EvidenceError

_KEYS: Mapping[str, frozenset[str]] = {
    "judge": frozenset({"cluster", "fewest_clusters"}),
    "calibration": frozenset({"at_most"}),
    "coverage": frozenset({"between", "of_slice_at_least", "cells"}),
    "slices": frozenset({"fewest", "gap_at_most", "gain_at_least", "over"}),
    "unchanged": frozenset({"at_most"}),
    "against_active": frozenset({"margin"}),
}
# a section must set one of these, or it would look like a rule and limit nothing
_LIMITS: Mapping[str, frozenset[str]] = {
    "calibration": frozenset({"at_most"}),
    "coverage": frozenset({"between", "of_slice_at_least"}),
    "slices": frozenset({"gap_at_most", "gain_at_least"}),
    "unchanged": frozenset({"at_most"}),
    "against_active": frozenset({"margin"}),
}
_BETTER, _DATA = "better_than", "data"


@dataclass(frozen=True)
class Rules:
    """Rules as read from a file; ``sha256`` is of its text."""

    sections: Mapping[str, Mapping[str, Any]]
    better_than: Mapping[str, float]  # reference → least gain
    sha256: str
    text: str

    def number(self, section: str, key: str, default: float | None = None) -> float | None:
        """A limit, or ``default`` where the file does not set it."""
        value = self.sections.get(section, {}).get(key, default)
        return None if value is None else float(value)

    @property
    def cluster(self) -> str:
        return str(self.sections.get("judge", {}).get("cluster", ""))

    @property
    def fewest_clusters(self) -> int:
        return int(self.number("judge", "fewest_clusters", 10) or 0)


def read_rules(data: bytes) -> Rules:
    """The rules in a TOML file. Raises EvidenceError for an unknown rule, or an empty file."""
    try:
        text = data.decode()
        found = tomllib.loads(text)
    except (RecursionError, ValueError) as error:  # also of more digits than Python converts
        raise EvidenceError(f"the rules are not TOML: {error}") from error
    found.pop(_DATA, None)  # rules for the data; training reads them itself
    better = _section(_BETTER, found.pop(_BETTER, {}))
    for name, section in found.items():
        _check_section(name, section)
    gains = {name: _at_least(name, section) for name, section in better.items()}
    if not gains and not {*found} - {"judge"}:
        raise EvidenceError("the rules are empty: nothing can be judged")
    return Rules(found, gains, hashlib.sha256(data).hexdigest(), text)


def _check_section(name: str, section: Any) -> None:
    if name not in _KEYS:
        raise EvidenceError(f"the rules have a section {name!r}; known are {_listed(_KEYS)}")
    if strange := sorted({*_section(name, section)} - _KEYS[name]):
        known = _listed(_KEYS[name])
        raise EvidenceError(f"rule {name}.{strange[0]} is not known; known are {known}")
    if (limits := _LIMITS.get(name)) and not limits & {*section}:
        raise EvidenceError(f"rule {name} sets no limit: {_listed(limits)}")
    for key, value in section.items():
        _check(f"{name}.{key}", value)


def _at_least(name: str, section: Any) -> float:
    if {*_section(f"{_BETTER}.{name}", section)} != {"at_least"}:
        raise EvidenceError(f"rule {_BETTER}.{name} must hold at_least, and nothing else")
    _check(f"{_BETTER}.{name}.at_least", section["at_least"])
    return float(section["at_least"])


def _check(where: str, value: Any) -> None:
    if where in ("judge.cluster", "slices.over"):
        right = isinstance(value, str)
    elif where == "coverage.between":
        right = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        right = right and value[0] <= value[1]
    else:
        right = _is_number(value)
    if not right:
        raise EvidenceError(f"rule {where} cannot be {value!r}")


_ENDLESS = 1e300  # more is no limit, and may be more than a float can hold


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < _ENDLESS


def _section(name: str, section: Any) -> Mapping[str, Any]:
    if not isinstance(section, dict):
        raise EvidenceError(f"rule {name} must be a section of the rules")
    return section


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
