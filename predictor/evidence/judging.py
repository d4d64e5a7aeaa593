"""The rules applied to cases, one function for each."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cases import TWIN, Cases, Numbers
from .losses import calibration_error, constant, paired_difference
from .rules import Rules
from .slices import Slice, holding, mean_holding, slices
from .verdict import Check, Result, Verdict

PUBLISHED = "published"
CONSTANT = "constant"


@dataclass(frozen=True)
class Opponent:
    """The version that answers now, and its answers to the same cases."""

    version: str
    sha256: str
    learnt_until: str  # the last period in its training data; empty when unknown
    scores: Sequence[Numbers]

    @property
    def facts(self) -> dict[str, str]:
        return {"version": self.version, "sha256": self.sha256}


def learnt_until(metadata: Mapping[str, Any]) -> str:
    """The last year, month or day in a version's ``data.period``; empty when it has none."""
    data = metadata.get("data")
    period = data.get("period") if isinstance(data, Mapping) else None
    return max(re.findall(r"\d{4}(?:-\d\d(?!\d)){0,2}", str(period)), default="")


def judge(cases: Cases, data: bytes, rules: Rules, opponent: Opponent | None = None) -> Verdict:
    """Judge the twin where the cases have its answers, else the published model's.

    ``data`` is the file the cases were read from; its digest is part of the verdict.
    """
    judged = TWIN if TWIN in cases.scores else PUBLISHED
    checks = [
        *(_better(cases, judged, rules, name, least) for name, least in rules.better_than.items()),
        *(check for rule in _RULES for check in rule(cases, judged, rules)),
        *_against(cases, judged, rules, opponent),
    ]
    return Verdict(
        judged=judged,
        checks=checks,
        rules_sha256=rules.sha256,
        cases_sha256=hashlib.sha256(data).hexdigest(),
        against=opponent.facts if opponent else {},
    )


def _better(cases: Cases, judged: str, rules: Rules, name: str, least: float) -> Check:
    rule = f"better than {name}"
    reference = cases.scores.get(name)
    if reference is None and name == CONSTANT:
        reference = constant(cases)
    if reference is None:
        return Check(rule, Result.NOT_JUDGED, note=f"the cases have no answers of {name}")
    return _compared(rule, cases, rules, cases.scores[judged], reference, least)


def _compared(  # noqa: PLR0913 - two models, cases and a rule
    rule: str,
    cases: Cases,
    rules: Rules,
    ours: Sequence[Numbers],
    theirs: Sequence[Numbers],
    least: float,
) -> Check:
    """The paired difference in log loss; its lower end must not be below ``least``."""
    clusters = cases.column(rules.cluster) if rules.cluster in cases.features else cases.clusters
    if not clusters and rules.cluster:
        return Check(rule, Result.NOT_JUDGED, note=f"the cases have no column {rules.cluster!r}")
    # without clusters every row is its own cluster
    clusters = clusters or [str(at) for at in range(len(cases.rows))]
    found = paired_difference(ours, theirs, cases.counts, clusters)
    if found is None or found.clusters < rules.fewest_clusters:
        few = f"{len({*clusters})} clusters are too few, {rules.fewest_clusters} are needed"
        return Check(rule, Result.NOT_JUDGED, limit=least, note=few)
    return Check(rule, _of(found.low >= least), found.mean, found.low, found.high, least)


def _calibration(cases: Cases, judged: str, rules: Rules) -> list[Check]:
    limit = rules.number("calibration", "at_most")
    if limit is None:
        return []
    found = calibration_error(cases.scores[judged], cases.counts)
    return [Check("calibration error", _of(found <= limit), found, limit=limit)]


def _coverage(cases: Cases, judged: str, rules: Rules) -> list[Check]:
    between = rules.sections.get("coverage", {}).get("between")
    least = rules.number("coverage", "of_slice_at_least")
    held = holding(cases)
    checks = []
    if between is not None:
        rule = "intervals that hold"
        if held:
            found = mean_holding(held)
            right = between[0] <= found <= between[1]
            checks.append(Check(rule, _of(right), found, limit=between))
        else:
            checks.append(Check(rule, Result.NOT_JUDGED, note="the cases have no intervals"))
    if least is not None and held:
        fewest = rules.number("coverage", "cells", 30) or 0
        found_slices = [s for s in slices(cases, judged) if s.cells >= fewest]
        checks += _worst(
            "intervals that hold in every slice",
            found_slices,
            lambda each: each.coverage,
            least,
        )
    return checks


def _slices(cases: Cases, judged: str, rules: Rules) -> list[Check]:
    if "slices" not in rules.sections:
        return []
    fewest = rules.number("slices", "fewest", 0) or 0
    over = str(rules.sections["slices"].get("over", ""))
    found = [each for each in slices(cases, judged, over) if each.n >= fewest]
    gap, gain = rules.number("slices", "gap_at_most"), rules.number("slices", "gain_at_least")
    checks = []
    if gap is not None:
        checks += _worst("stated share near the actual in every slice",
                         found, lambda each: -abs(each.gap), -gap, sign=-1)  # fmt: skip
    if gain is not None:
        checks += _worst(f"no slice worse than {over or 'the reference'}",
                         found, lambda each: each.gain, gain)  # fmt: skip
    return checks


def _worst(
    rule: str,
    found: list[Slice],
    value: Callable[[Slice], float | None],
    least: float,
    sign: int = 1,
) -> list[Check]:
    """The slice with the lowest value, which must not be below ``least``; shown times ``sign``."""
    known = [(number, each) for each in found if (number := value(each)) is not None]
    if not known:
        return [Check(rule, Result.NOT_JUDGED, note="no slice has enough cases", needed=False)]
    lowest, worst = min(known, key=lambda pair: pair[0])
    failing = sum(number < least for number, _ in known)
    note = f"worst: {worst.feature} {worst.label}" + (f"; {failing} fail" if failing else "")
    return [Check(rule, _of(not failing), sign * lowest, limit=sign * least, note=note)]


def _unchanged(cases: Cases, judged: str, rules: Rules) -> list[Check]:
    limit = rules.number("unchanged", "at_most")
    published = cases.scores.get(PUBLISHED)
    if limit is None or judged != TWIN or published is None:
        return []
    sizes = cases.sizes
    moved = sum(
        size * max(abs(new - old) for new, old in zip(ours, theirs, strict=True))
        for size, ours, theirs in zip(sizes, published, cases.scores[TWIN], strict=True)
    )
    found = moved / sum(sizes)
    return [Check("published near its twin", _of(found <= limit), found, limit=limit)]


_RULES = (_calibration, _coverage, _slices, _unchanged)


def _against(cases: Cases, judged: str, rules: Rules, opponent: Opponent | None) -> list[Check]:
    margin = rules.number("against_active", "margin")
    if opponent is None or margin is None:
        return []
    rule = f"not worse than {opponent.version}"
    if unfair := _has_learnt(cases, judged, opponent):
        return [Check(rule, Result.NOT_JUDGED, limit=-margin, note=unfair, needed=False)]
    return [_compared(rule, cases, rules, cases.scores[judged], opponent.scores, -margin)]


def _has_learnt(cases: Cases, judged: str, opponent: Opponent) -> str:
    """Why the cases favour the opponent: it has learnt some of them; empty if it has not."""
    first = min(cases.periods, default="")
    if judged == TWIN and not opponent.learnt_until:
        return f"{opponent.version} does not say what it has learnt"
    if judged == TWIN and not first:
        return "the cases have no period, so it may have learnt them"
    if not first or not opponent.learnt_until or _ends_before(opponent.learnt_until, first):
        return ""
    if judged == TWIN:
        return f"{opponent.version} has learnt {first} to {max(cases.periods)}"
    return f"{opponent.version} has learnt them" if judged == PUBLISHED else ""


def _ends_before(until: str, first: str) -> bool:
    """Whether a year, month or day ends before the period ``first``; "2025" is all of the year."""
    return until < first[: len(until)]


def _of(right: bool) -> Result:
    return Result.PASSED if right else Result.REFUSED
