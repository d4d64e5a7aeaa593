"""What a model would learn from figures, before it does: findings by the rules, months left out.

Nearly every rule compares cells with cells, so a schema would find little of it.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .cells import ANY_FORCE
from .figures import Cell, Figures, FiguresError, digest
from .outcome_groups import STATUS_UNAVAILABLE, group_of
from .vocabulary import CRIMES, FORCES, FORMER_CRIMES, RENAMED_FORCES, looks_like

STOP, WARN, OFF = "stop", "warn", "off"
OPEN = "Under investigation"
RULES = Path(__file__).parent / "rules" / "crime.toml"

Limits = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing a reader should know before a model learns from the figures."""

    rule: str
    does: str  # stop or warn
    sentence: str


@dataclass(frozen=True)
class Report:
    """``figures`` may be learnt from; ``left_out`` has the other months, each with its reason."""

    figures: Figures
    findings: list[Finding]
    left_out: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""  # of the figures as they came

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
    """Hold ``figures`` against the ``[data]`` rules, and against older ones where there are some.

    Raises FiguresError when nothing is left, UnknownOutcome for an outcome in no group.
    """
    renamed, findings = _named(figures, rules)
    left_out: dict[str, str] = {}
    for name, months in (("memory", _too_old), ("maturity", _too_young)):
        does, limits = _rule(rules, name)
        if does != OFF:
            found = months({c: n for c, n in renamed.items() if c.month not in left_out}, limits)
            left_out |= found
            findings += [Finding(name, does, sentence) for sentence in _spans(found)]
    kept = {cell: count for cell, count in renamed.items() if cell.month not in left_out}
    if not kept:
        raise FiguresError("no month of the figures is left to learn from: " + _listed(left_out))
    for name, look in _LOOKS.items():
        does, limits = _rule(rules, name)
        if does != OFF:
            findings += [Finding(name, does, sentence) for sentence in look(kept, limits)]
    does, _ = _rule(rules, "labels")
    if against is not None and does != OFF:
        findings += [Finding("labels", does, sentence) for sentence in _labels(kept, against)]
    return Report(kept, findings, left_out, digest(figures))


def data_rules(path: Path = RULES) -> Limits:
    """The section ``data`` of a file of rules. Raises FiguresError when it cannot be used."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("data", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FiguresError(f"the rules in {path} cannot be read: {error}") from error
    known = {*_LOOKS, "unknown_names", "former_names", "maturity", "memory", "labels"}
    for name, limits in found.items():
        if name not in known or not isinstance(limits, dict):
            raise FiguresError(f"{path} has a rule data.{name}; known are {_listed(sorted(known))}")
        if limits.get("does") not in (STOP, WARN, OFF):
            raise FiguresError(f'{path}: data.{name}.does must be "stop", "warn" or "off"')
    return found  # type: ignore[no-any-return] # the TOML of a table is a dictionary


def _rule(rules: Limits, name: str) -> tuple[str, Limits]:
    limits = rules.get(name, {"does": OFF})
    return str(limits["does"]), limits


def _named(figures: Figures, rules: Limits) -> tuple[dict[Cell, int], list[Finding]]:
    """The figures under the names of today, and what was strange about theirs."""
    kept: dict[Cell, int] = {}
    unknown: dict[str, str] = {}
    renamed: dict[str, str] = {}
    former: dict[str, list[str]] = {}
    for cell, count in figures.items():
        force = RENAMED_FORCES.get(cell.force, cell.force)
        if force != cell.force:
            renamed[cell.force] = force
        for name, names, what in (
            (force, FORCES, "force"), (cell.crime, (*CRIMES, *FORMER_CRIMES), "type of crime"),
        ):  # fmt: skip
            if name not in names:
                unknown[name] = _unknown(name, names, what, cell.month)
        if cell.crime in FORMER_CRIMES:
            former.setdefault(cell.crime, []).append(cell.month)
            continue
        key = cell._replace(force=force)
        kept[key] = kept.get(key, 0) + count
    findings = [
        Finding("unknown_names", does, sentence)
        for sentence in unknown.values()
        if (does := _rule(rules, "unknown_names")[0]) != OFF
    ]
    findings += [
        Finding("former_names", WARN, f"{old!r} is counted as {new!r}, its name today")
        for old, new in renamed.items()
    ]
    does = _rule(rules, "former_names")[0]
    findings += [
        Finding(
            "former_names", does if does != OFF else WARN,
            f"{name!r} ({min(months)} to {max(months)}) is a type of crime of another time "
            f"({FORMER_CRIMES[name]}); its crimes are left out",
        )
        for name, months in former.items()
    ]  # fmt: skip
    return kept, findings


def _unknown(name: str, known: tuple[str, ...], what: str, month: str) -> str:
    if name == ANY_FORCE:
        return f"the figures have a force called {ANY_FORCE!r}, the name of the sum"
    near = looks_like(name, known)
    hint = f"it looks like {near!r}" if near else "add it to training/vocabulary.py if it is right"
    return f"{name!r} ({month}) is no {what} of data.police.uk; {hint}"


def _too_old(figures: Figures, limits: Limits) -> dict[str, str]:
    months = sorted({cell.month for cell in figures})
    if not months:
        return {}
    first = str(pd.Period(months[-1], freq="M") - (int(limits["months"]) - 1))
    why = f"more than {limits['months']} months before {months[-1]}, of another practice"
    return {month: why for month in months if month < first}


def _too_young(figures: Figures, limits: Limits) -> dict[str, str]:
    """Months with too many open cases; in the last year also every later month.

    What is closed first in a young month is no fair sample of what will be.
    """
    total: dict[str, int] = {}
    still: dict[str, int] = {}
    for cell, count in figures.items():
        if cell.outcome:
            total[cell.month] = total.get(cell.month, 0) + count
            still[cell.month] = still.get(cell.month, 0) + (cell.outcome == OPEN) * count
    known = {month: 1 - still[month] / total[month] for month in sorted(total)}
    few = {
        month: f"{share:.0%} of the outcomes of {month} are known, {limits['known']:.0%} are needed"
        for month, share in known.items()
        if share < limits["known"]
    }
    last_year = str(pd.Period(max(known), freq="M") - 11) if known else ""
    young = min((month for month in few if month >= last_year), default=None)
    if young is None:
        return few
    return few | {month: few[young] for month in known if month >= young}


def _missing_months(figures: Figures, limits: Limits) -> list[str]:
    months = {cell.month for cell in figures}
    every = {str(month) for month in pd.period_range(min(months), max(months), freq="M")}
    missing = sorted(every - months)
    return [f"no crime of {_runs(missing)} is in the figures"] if missing else []


def _mix(figures: Figures, limits: Limits) -> list[str]:
    shares = _groups(figures, ["month"])
    return [
        f"outcomes of {month} are unlike those of {before}: population stability index "
        f"{value:.2f}, at most {limits['psi']} is allowed"
        for before, month, value in _steps(shares, limits["psi"])
    ]


def _mix_of_force(figures: Figures, limits: Limits) -> list[str]:
    counts = _groups(figures, ["force", "month"])
    counts = counts[counts.sum(axis=1) >= 300]  # fewer crimes differ by chance
    return [
        f"outcomes of {force} change from {before} to {month}: population stability index "
        f"{value:.2f}"
        for force in counts.index.unique("force")
        for before, month, value in _steps(counts.loc[force], limits["psi"])
    ]


def _steps(counts: pd.DataFrame, limit: float) -> list[tuple[str, str, float]]:
    """Months whose outcomes differ from those of the month before by a larger index."""
    shares = (counts + 0.5).div((counts + 0.5).sum(axis=1), axis=0)
    moved = shares.diff() * np.log(shares / shares.shift())
    index = moved.sum(axis=1)
    months = list(index.index)
    return [
        (months[at - 1], months[at], float(index.iloc[at]))
        for at in range(1, len(months))
        if index.iloc[at] > limit
    ]


def _volume(figures: Figures, limits: Limits) -> list[str]:
    sizes = _sizes(figures)
    there = sizes.where(sizes > 0)
    usual = there.median(axis=1)
    far = there.gt(usual * limits["factor"], axis=0) | there.lt(usual / limits["factor"], axis=0)
    found = [
        f"{force} recorded no crime in {_listed(sizes.columns[empty])}"
        for force, empty in zip(sizes.index, (sizes == 0).to_numpy(), strict=True)
        if empty.any()
    ]
    return found + [
        f"{force} recorded {sizes.loc[force, month]:,.0f} crimes in {month}, "
        f"{usual[force]:,.0f} in its usual month"
        for force, month in far.stack().loc[lambda each: each].index
    ]


def _year_before(figures: Figures, limits: Limits) -> list[str]:
    sizes = _sizes(figures)
    found = []
    for month in sizes.columns:
        before = f"{int(month[:4]) - 1}{month[4:]}"
        if before not in sizes.columns:
            continue
        ratio = sizes[month] / sizes[before].replace(0, np.nan)
        far = ratio[(ratio > limits["factor"]) | (ratio < 1 / limits["factor"])]
        found += [
            f"{force} recorded {sizes.loc[force, month]:,.0f} crimes in {month}, "
            f"{sizes.loc[force, before]:,.0f} a year before"
            for force in far.index
        ]
    return found


def _hidden(figures: Figures, limits: Limits) -> list[str]:
    """Forces that hide many outcomes, and months that hide more than is usual for the force."""
    counts = pd.Series(figures).rename_axis(["month", "force", "crime", "outcome"])
    labelled = counts[counts.index.get_level_values("outcome") != ""]
    is_hidden = labelled.index.get_level_values("outcome") == STATUS_UNAVAILABLE
    total = labelled.groupby(level=["force", "month"]).sum()
    hidden = labelled[is_hidden].groupby(level=["force", "month"]).sum()
    hidden = hidden.reindex(total.index, fill_value=0)
    shares = hidden / total
    found = []
    for force in total.index.unique("force"):
        overall = hidden.loc[force].sum() / total.loc[force].sum()
        usual = shares.loc[force].median()
        if usual > limits["share"]:
            found.append(f"{force} does not say what became of {overall:.0%} of its crimes")
        found += [
            f"{force} does not say what became of {hidden[force, month]:,.0f} crimes of {month} "
            f"({share:.0%}; {usual:.0%} in its usual month)"
            for month, share in shares.loc[force].items()
            if share > usual + limits["share"]
        ]
    return found


def _labels(figures: Figures, against: Figures) -> list[str]:
    found = []
    for what in ("force", "crime", "outcome"):
        new, old = ({getattr(c, what) for c in each} for each in (figures, against))
        found += [f"the {what} {name!r} is new" for name in sorted(new - old)]
        found += [f"the {what} {name!r} is gone" for name in sorted(old - new)]
    return found


_LOOKS: Mapping[str, Callable[[Figures, Limits], list[str]]] = {
    "missing_months": _missing_months,
    "mix": _mix,
    "mix_of_force": _mix_of_force,
    "volume": _volume,
    "hidden": _hidden,
    "year_before": _year_before,
}


def _groups(figures: Figures, by: list[str]) -> pd.DataFrame:
    """Crimes by outcome group, of those whose outcome is known."""
    known = [(*cell[:2], group, count) for cell, count in figures.items()
             if (group := group_of(cell.outcome)) is not None]  # fmt: skip
    table = pd.DataFrame(known, columns=["month", "force", "group", "count"])
    return table.pivot_table(
        index=by, columns="group", values="count", aggfunc="sum", fill_value=0
    ).sort_index()


def _sizes(figures: Figures) -> pd.DataFrame:
    """Crimes with any outcome at all, by force and month; 0 where there is none."""
    counts = pd.Series(figures).rename_axis(["month", "force", "crime", "outcome"])
    labelled = counts[counts.index.get_level_values("outcome") != ""]
    table = labelled.groupby(level=["force", "month"]).sum().unstack("month", fill_value=0)
    return table.sort_index(axis=1)


def _spans(left_out: Mapping[str, str]) -> list[str]:
    """One sentence for each reason that months are left out."""
    reasons: dict[str, list[str]] = {}
    for month, why in left_out.items():
        reasons.setdefault(why, []).append(month)
    return [f"{_runs(sorted(months))} left out: {why}" for why, months in reasons.items()]


def _runs(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"


def _listed(names: Any) -> str:
    return ", ".join(names)
