"""The WHY panel: the ladder and the contributions of one answer, in words and bars."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from batclient.printout import in_figures, score_in_words
from batclient.sentences import in_language, value_in_language
from batclient.what_if import shown_flag
from predictor.artifacts.contract import Flag
from predictor.artifacts.inputs import Row
from predictor.artifacts.version import ModelVersion
from predictor.predictions.attribution import Attribution, Unexplained, attribute, is_exact

_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class LadderLine:
    """One line of the ladder, or one selector's contribution."""

    title: str
    shown: str  # the selector's value
    text: str  # the score so far, or empty
    change: str  # the selector's contribution, with its error
    start: float  # the bar, in per cent of the axis
    percent: float
    down: bool = False
    tested: bool = True


@dataclass(frozen=True)
class WhyPanel:
    """The content of the panel; no lines with a ``problem``, or before a person asks."""

    flag: Flag | None = None
    ladder: list[LadderLine] = field(default_factory=list)
    parts: list[LadderLine] = field(default_factory=list)
    base: str = ""
    answer: str = ""
    exact: bool = True
    pairs: int = 0
    reference: str = ""
    order_from: str = ""
    problem: str = ""


def blank_why(model: ModelVersion) -> WhyPanel:
    """A panel with as many empty lines as a ladder, so that the layout does not shift later."""
    titles = ["", *(feature.title for feature in model.contract.features)]
    return WhyPanel(ladder=[LadderLine(title, "", "", "", 0.0, 0.0) for title in titles])


def why_at_once(
    model: ModelVersion, row: Row, case: Mapping[str, Any], scores: Mapping[str, float]
) -> WhyPanel:
    """``why_panel`` if that is cheap; else no figures until a person looks at the panel."""
    return why_panel(model, row, case, scores) if is_exact(model) else blank_why(model)


def why_panel(
    model: ModelVersion, row: Row, case: Mapping[str, Any], scores: Mapping[str, float]
) -> WhyPanel:
    """Why ``model`` answers ``scores`` to ``case``, for the flag with the highest score."""
    flag = shown_flag(model.contract, max(scores, key=scores.__getitem__))
    try:
        attribution = attribute(model, row)
    except Unexplained as unexplained:
        return replace(blank_why(model), problem=in_language(str(unexplained)))
    panel = _Panel(model, flag, case, attribution)
    return WhyPanel(
        flag=flag,
        ladder=panel.ladder(),
        parts=panel.parts(),
        base=panel.score(attribution.base[flag.name]),
        answer=panel.score(attribution.ladder[-1].scores[flag.name]),
        exact=attribution.exact,
        pairs=attribution.pairs,
        reference=in_language(attribution.reference),
        order_from=in_language(attribution.order_from),
    )


@dataclass(frozen=True)
class _Panel:
    """An attribution of one flag's score."""

    model: ModelVersion
    flag: Flag
    case: Mapping[str, Any]
    attribution: Attribution

    def score(self, score: float) -> str:
        return score_in_words(score, self.model.scorer.kind, self.flag.unit)

    def ladder(self) -> list[LadderLine]:
        scores = [rung.scores[self.flag.name] for rung in self.attribution.ladder]
        value = self.model.scorer.kind == "value"
        low, high = (min(0.0, *scores), max(0.0, *scores)) if value else (0.0, 1.0)
        lines, before = [], 0.0
        for rung, score in zip(self.attribution.ladder, scores, strict=True):
            title, shown = self._names(rung.feature)
            change = self._change(score - before) if rung.feature else ""
            text = self.score(_rounded(score, 6)) + self._within(rung.within[self.flag.name])
            bar = _bar(before, score, low, high)
            lines.append(LadderLine(title, shown, text, change, *bar, score < before, rung.tested))
            before = score
        return lines

    def parts(self) -> list[LadderLine]:
        """The selectors' Shapley values, the greatest first."""
        sizes = {name: scores[self.flag.name] for name, scores in self.attribution.parts.items()}
        longest = max(map(abs, sizes.values())) or 1.0
        lines = []
        for name, part in sorted(sizes.items(), key=lambda pair: -abs(pair[1])):
            title, shown = self._names(name)
            error = self.attribution.within.get(name, {}).get(self.flag.name, 0.0)
            change = self._change(part) + self._within(error)
            bar = _bar(0.0, part, -longest, longest)
            lines.append(LadderLine(title, shown, "", change, *bar, part < 0))
        return lines

    def _names(self, name: str) -> tuple[str, str]:
        if not name:
            return _("The average answer"), ""
        feature = next(f for f in self.model.contract.features if f.name == name)
        return feature.title, value_in_language(feature, self.case.get(name))

    def _change(self, change: float) -> str:
        """``0.065`` → ``+6.5 points``; for a model that answers with numbers, in its unit."""
        sign = _MINUS if change < 0 else "+"
        if self.model.scorer.kind == "value":
            return f"{sign}{self.score(_rounded(abs(change), 4))}"
        points = in_figures(abs(change) * 100, ".1f")
        return sign + _("%(points)s points") % {"points": points}

    def _within(self, error: float) -> str:
        if not error:
            return ""
        value = self.model.scorer.kind == "value"
        figures = in_figures(_rounded(error, 2), ",.6g")
        size = figures if value else in_figures(error * 100, ".1f")
        return f" ± {size}"


def _rounded(number: float, digits: int) -> float:
    """Round ``number`` to significant digits, so that a column of numbers is readable."""
    return float(f"{number:.{digits}g}")


def _bar(before: float, after: float, low: float, high: float) -> tuple[float, float]:
    """The bar between two scores on an axis from ``low`` to ``high``, in per cent of it."""
    span = (high - low) or 1.0
    ends = sorted(min(max((end - low) / span, 0.0), 1.0) * 100 for end in (before, after))
    return round(ends[0], 2), round(ends[1] - ends[0], 2)
