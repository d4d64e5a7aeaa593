"""A check of figures before a model learns from them: findings by the rules, months left out.

Nearly every rule compares cells with cells, which a schema cannot do.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .cells import ANY_FORCE
from .figures import Cell, Figures, FiguresError, digest
from .figures_against import COMPARISONS
from .figures_changes import LOOKS
from .figures_months import LEAVE_OUT, spans
from .vocabulary import FORMER_CRIMES, Named, named_today

STOP, WARN, OFF = "stop", "warn", "off"
RULES = Path(__file__).parent / "rules" / "crime.toml"

Limits = Mapping[str, Any]
Look = TypeVar("Look")


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know before a model learns from the figures."""

    rule: str
    does: str  # stop or warn
    sentence: str


@dataclass(frozen=True)
class Report:
    """``figures`` may be learnt from; ``left_out`` has the other months, each with its reason."""

    figures: Figures
    findings: list[Finding]
    left_out: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""  # of the original figures

    @property
    def stops(self) -> list[str]:
        return [finding.sentence for finding in self.findings if finding.does == STOP]

    @property
    def digest(self) -> str:
        """SHA-256 of the report itself, which a version keeps."""
        text = json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "figures_sha256": self.sha256,
            "crimes": sum(self.figures.values()),
            "left_out": dict(self.left_out),
            "findings": [asdict(finding) for finding in self.findings],
        }


def examined(figures: Figures, rules: Limits, against: Figures | None = None) -> Report:
    """Check ``figures`` by the ``[data]`` rules, and compare them with known ones if there are any.

    Raises FiguresError when no month is left, UnknownOutcome for an outcome in no group.
    """
    if not figures:
        raise FiguresError("the figures hold no crime at all")
    named = named_today(figures)
    findings = list(_names(named, rules))
    kept: dict[Cell, int] = named.figures
    left_out: dict[str, str] = {}
    for name, does, limits, months in _in_force(rules, LEAVE_OUT):
        found = months(kept, limits)
        left_out |= found
        kept = {cell: count for cell, count in kept.items() if cell.month not in found}
        findings += _findings(name, does, spans(found))
    if not kept:
        reasons = [*spans(left_out), *(each.sentence for each in findings)]
        raise FiguresError(f"no month of the figures is left to learn from: {reasons[0]}")
    for name, does, limits, look in _in_force(rules, LOOKS):
        findings += _findings(name, does, look(kept, limits))
    if against is not None:
        known = named_today(against).figures
        for name, does, limits, compare in _in_force(rules, COMPARISONS):
            findings += _findings(name, does, compare(kept, known, limits))
    return Report(kept, findings, left_out, digest(figures))


def data_rules(path: Path = RULES) -> Limits:
    """The section ``data`` of a file of rules. Raises FiguresError when it cannot be used."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("data", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FiguresError(f"the rules in {path} cannot be read: {error}") from error
    for name, limits in found.items():
        if name not in _KEYS or not isinstance(limits, dict):
            known = ", ".join(sorted(_KEYS))
            raise FiguresError(f"{path} has a rule data.{name}; known are {known}")
        _check_limits(f"{path}: data.{name}", limits, _KEYS[name])
    return found  # type: ignore[no-any-return] # the TOML of a table is a dictionary


_KEYS: Mapping[str, frozenset[str]] = {
    name: frozenset({"does", *limits})
    for name, *limits in (
        ("unknown_names",), ("former_names",), ("missing_months",), ("labels",), ("future",),
        ("memory", "months"), ("maturity", "known"), ("hidden", "share"),
        ("mix", "psi"), ("mix_of_crime", "psi"), ("mix_of_force", "psi"),
        ("volume", "factor"), ("year_before", "factor"), ("lacking", "fewest"),
        ("copies", "fewest"), ("mix_against", "psi", "fewest"), ("parts_against", "psi"),
        ("volume_against", "factor"),
    )
}  # fmt: skip


def _check_limits(where: str, limits: Limits, keys: frozenset[str]) -> None:
    if limits.get("does") not in (STOP, WARN, OFF):
        raise FiguresError(f'{where}.does must be "stop", "warn" or "off"')
    if strange := sorted({*limits} - keys):
        raise FiguresError(
            f"{where}.{strange[0]} is not known; known are {', '.join(sorted(keys))}"
        )
    if limits["does"] == OFF:
        return
    for key in sorted(keys - {"does"}):
        value = limits.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise FiguresError(f"{where}.{key} must be a number above 0, not {value!r}")


def _rule(rules: Limits, name: str) -> tuple[str, Limits]:
    limits = rules.get(name, {"does": OFF})
    return str(limits["does"]), limits


def _in_force(rules: Limits, looks: Mapping[str, Look]) -> Iterator[tuple[str, str, Limits, Look]]:
    """The ``looks`` that the rules do not turn off: name, effect (stop or warn), limits."""
    for name, look in looks.items():
        does, limits = _rule(rules, name)
        if does != OFF:
            yield name, does, limits, look


def _findings(name: str, does: str, sentences: list[str]) -> list[Finding]:
    return [Finding(name, does, sentence) for sentence in sentences]


def _names(named: Named, rules: Limits) -> Iterator[Finding]:
    """Oddities in the names of forces and of types of crime."""
    does, _ = _rule(rules, "unknown_names")
    if does != OFF:
        for name, sentence in named.unknown.items():
            is_sum = f"the figures have a force called {ANY_FORCE!r}, the name of the sum"
            yield Finding("unknown_names", does, is_sum if name == ANY_FORCE else sentence)
    for old, new in named.renamed.items():
        yield Finding("former_names", WARN, f"{old!r} is counted as {new!r}, its name today")
    does, _ = _rule(rules, "former_names")
    for name, months in named.former.items():
        yield Finding(
            "former_names",
            does if does != OFF else WARN,
            f"{name!r} ({min(months)} to {max(months)}) is a type of crime of another time "
            f"({FORMER_CRIMES[name]}); its crimes are left out",
        )
