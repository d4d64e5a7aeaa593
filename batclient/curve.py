"""One flag's score over a number: the curve of the what-if scope, drawn by the server."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from batclient.printout import in_figures, score_in_words
from batclient.sentences import unknown_in_language
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Feature, Flag
from predictor.artifacts.scores import ScoreKind
from predictor.artifacts.version import ModelVersion
from predictor.predictions.sensitivity import Option, Sensitivity

_MOST_NAMED = 5  # gaps to name in a sentence


@dataclass(frozen=True)
class CurvePoint:
    """One value and its score, in words and on the 100 × 100 drawing."""

    shown: str
    text: str
    x: str  # with a decimal point, since SVG reads no decimal comma
    y: str
    current: bool
    address: str


@dataclass(frozen=True)
class Curve:
    """The drawing and the words around it."""

    title: str
    points: list[CurvePoint]
    unknown: CurvePoint | None  # the answer to a missing value, which has no place on the drawing
    line: str  # the curve as an SVG path, interrupted where there is no answer
    dots: str
    across: list[str]  # the ends of both axes in words
    up: list[str]
    start: int  # the first marked point: that of the case, if it is drawn
    notes: list[str]
    summary: str

    @property
    def marked(self) -> CurvePoint | None:
        return self.points[self.start] if self.points else None


def draw_curve(
    model: ModelVersion,
    case: Mapping[str, Any],
    feature: Feature,
    flag: Flag,
    compared: Sensitivity,
) -> Curve:
    """The curve of ``flag`` over ``feature``, from a comparison with a range and an answer."""
    drawing = _Drawing(model.scorer.kind, case, feature, flag, compared)
    points = {option.value: drawing.point(option) for option in drawing.drawn}
    pieces = list(_pieces(points, compared.gaps))
    return Curve(
        title=feature.title,
        points=list(points.values()),
        unknown=drawing.point(drawing.unknown) if drawing.unknown else None,
        line=" ".join(f"M{' L'.join(piece)}" for piece in pieces),
        dots=" ".join(f"M{place}h0" for piece in pieces for place in piece),
        across=[drawing.value(end) for end in drawing.across],
        up=drawing.axis(),
        start=next((at for at, point in enumerate(points.values()) if point.current), 0),
        notes=list(drawing.notes()),
        summary=drawing.summary() if points else "",
    )


@dataclass(frozen=True)
class _Drawing:
    """The data of a curve, and the words and coordinates derived from them."""

    kind: ScoreKind
    case: Mapping[str, Any]
    feature: Feature
    flag: Flag
    compared: Sensitivity

    @property
    def across(self) -> tuple[float, float]:
        span = self.compared.span
        return (span.low, span.high) if span else (0.0, 1.0)

    @property
    def up(self) -> tuple[float, float]:
        """The range of the upward axis: all possible shares, or for other numbers the drawn."""
        if self.kind != "value":
            return 0.0, 1.0
        scores = [self._score(option) for option in self.drawn]
        return (min(scores), max(scores)) if scores else (0.0, 1.0)

    @property
    def drawn(self) -> list[Option]:
        return [option for option in self.compared.options if option.value is not None]

    @property
    def unknown(self) -> Option | None:
        """The case without the value, if the model accepts that."""
        return next((option for option in self.compared.options if option.value is None), None)

    def _score(self, option: Option) -> float:
        return option.scores[self.flag.name]

    def _text(self, option: Option) -> str:
        return self.score(self._score(option))

    def score(self, score: float) -> str:
        return score_in_words(score, self.kind, self.flag.unit)

    def _as_drawn(self, score: float) -> float:
        """Round to the drawing's resolution: thousandths of half the axis."""
        low, high = self.up
        half = high / 2 - low / 2  # the length may exceed any float
        if self.kind != "value" or not half:
            return score
        return round(score, max(0, 3 - math.floor(math.log10(half))))

    def value(self, value: Any) -> str:
        if value is None:
            return unknown_in_language(self.feature)
        return f"{in_figures(value, ',.12g')} {self.feature.unit}".rstrip()

    def point(self, option: Option) -> CurvePoint:
        address = address_of({**self.case, self.feature.name: option.value}, vary=self.feature.name)
        return CurvePoint(
            shown=self.value(option.value),
            text=self._text(option),
            x=f"{_place(option.value or 0, *self.across):.2f}",
            y=f"{100 - _place(self._score(option), *self.up):.2f}",
            current=option.current,
            address=address,
        )

    def axis(self) -> list[str]:
        """The ends of the upward axis, the lower first; only one if they are equal."""
        if self.kind == "probability":
            return ["0 %", "100 %"]
        return list(dict.fromkeys(self.score(self._as_drawn(end)) for end in self.up))

    @property
    def is_outside(self) -> bool:
        """Whether the case's value is not on the drawing."""
        own, span = self.case.get(self.feature.name), self.compared.span
        return own is not None and span is not None and not span.holds(own)

    def notes(self) -> Iterator[str]:
        """Notes on what the drawing shows and omits."""
        span, names = self.compared.span, {"flag": self.flag.title, "title": self.feature.title}
        if span and span.source == "training":
            yield _("%(flag)s over %(title)s, as far as the training data goes.") % names
        else:
            yield _("%(flag)s over %(title)s, from bound to bound.") % names
        if gaps := [self.value(gap) for gap in self.compared.gaps]:
            named = "; ".join([*gaps[:_MOST_NAMED], *["…"] * (len(gaps) > _MOST_NAMED)])
            yield _("The model has no answer at these values: %(values)s.") % {"values": named}
        if unknown := self.unknown:
            yield _("Where the value is unknown: %(score)s.") % {"score": self._text(unknown)}
        if self.is_outside:
            own = self.case[self.feature.name]
            yield _("This case's %(value)s is outside this range.") % {"value": self.value(own)}
        elif any(option.current for option in self.drawn):
            yield _("The dashed line is this case.")

    def summary(self) -> str:
        """The curve in a sentence."""
        lowest, highest = (choose(self.drawn, key=self._score) for choose in (min, max))
        words = {
            "low": self.score(self._as_drawn(self._score(lowest))),
            "low_at": self.value(lowest.value),
            "high": self.score(self._as_drawn(self._score(highest))),
            "high_at": self.value(highest.value),
        }  # fmt: skip
        if words["low"] == words["high"]:
            return _("%(low)s everywhere.") % words
        return _("Lowest at %(low_at)s: %(low)s. Highest at %(high_at)s: %(high)s.") % words


def _place(value: float, low: float, high: float) -> float:
    """The position of ``value`` from ``low`` to ``high``, in per cent; 50 if these are equal."""
    length = high / 2 - low / 2  # halves, as the length may exceed any float
    return min(max((value / 2 - low / 2) / length, 0.0), 1.0) * 100 if length else 50.0


def _pieces(points: Mapping[Any, CurvePoint], gaps: Sequence[Any]) -> Iterator[list[str]]:
    """The coordinates of the points, a list for each stretch without a gap."""
    piece: list[str] = []
    for value in sorted([*points, *(gap for gap in gaps if gap is not None)]):
        if value in points:
            piece.append(f"{points[value].x} {points[value].y}")
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece
