"""How the model's answer changes with its inputs: what the model says, not what causes what.

Nothing here is recorded: these are questions about the model, not answers about a case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from predictor.artifacts.contract import MAX_LABELS, Contract, Feature, Number
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import Row, nearest
from predictor.artifacts.scores import answers
from predictor.artifacts.version import ModelVersion
from predictor.predictions.points import Range, points_in, range_of

MAX_STEPS = 200  # most whole numbers between bounds to list as choices
MOST_POINTS = 25  # of a curve, in addition to the case's own value
MOST_STEPS = 12  # of a number on one side of a map
MAX_MAP_CELLS = MAX_LABELS  # of one map

AxisValue = tuple[Any, str]


@dataclass(frozen=True, slots=True)
class Option:
    """One value of the varied feature, and its scores."""

    value: Any
    shown: str
    current: bool
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The scores for all values of the varied feature."""

    options: list[Option]
    span: Range | None  # of a number without a list: the range of its points
    gaps: list[Any]  # points for which the model has no answer


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """Scores over every pair of two features' values; ``cells[row][column]`` is one flag's."""

    rows: list[AxisValue]
    columns: list[AxisValue]
    cells: list[list[float]]


def choices_to_compare(
    contract: Contract, feature: Feature, most: int = MOST_POINTS
) -> list[AxisValue] | None:
    """Every value of ``feature``; of a number at most ``most`` points.

    None when there are too many values to list, or a number's range is unknown.
    """
    steps = feature.kind.steps(feature, MAX_STEPS)
    if not steps and (span := range_of(contract, feature)):
        steps = [_step(point) for point in points_in(feature, span, most)]
    return [*steps, (None, feature.unknown)] if steps and feature.missing else steps


def curve_range(contract: Contract, feature: Feature) -> Range | None:
    """The range in which a number without a list of values is varied; None for other features."""
    listed = feature.kind.steps(feature, MAX_STEPS)
    return None if listed else range_of(contract, feature)


def comparable(contract: Contract) -> list[Feature]:
    """The features whose values can be listed, and the numbers that have a curve."""
    return [
        feature
        for feature in contract.features
        if feature.kind.steps(feature, MAX_STEPS) or range_of(contract, feature)
    ]


def compare(model: ModelVersion, item: Mapping[str, Any], vary: str) -> Sensitivity:
    """The scores of ``item`` for every value of the feature ``vary``, in lookup order.

    For a number without a list: for points of its range, and for the item's own value if that is
    within. The item may leave ``vary`` out. Raises InvalidInput naming every field that is wrong,
    ScoringError when the model gives no usable score; for a curve, Abstention only when no point
    has an answer.
    """
    feature = _feature(model.contract, vary, "vary")
    choices = choices_to_compare(model.contract, feature) or []
    model.encoder.encode({vary: choices[0][0], **item})
    span = curve_range(model.contract, feature)
    if span:
        choices = _with_own(span, choices, item.get(vary))
    rows = _rows(model, item, [{vary: value} for value, _ in choices])
    scores = answers(model, rows, len(rows) - 1 if span else 0)
    names = model.contract.flag_names
    options = [
        Option(value, shown, item.get(vary) == value, dict(zip(names, row, strict=True)))
        for (value, shown), row in zip(choices, scores, strict=True)
        if row is not None
    ]
    gaps = [value for (value, _), row in zip(choices, scores, strict=True) if row is None]
    return Sensitivity(options, span, gaps)


def score_map(
    model: ModelVersion, item: Mapping[str, Any], rows: str, columns: str, flag: str
) -> ScoreMap:
    """``flag``'s score of ``item`` over every pair of values of the features ``rows``, ``columns``.

    Raises InvalidInput naming every field that is wrong, the map's own parameters included.
    """
    down = _feature(model.contract, rows, "rows")
    across = _feature(model.contract, columns, "columns")
    if down == across:
        raise InvalidInput([FieldError("columns", "rows and columns must be two features")])
    flags = model.contract.flag_names
    if flag not in flags:
        raise InvalidInput([FieldError("flag", "there is no such flag", nearest(flag, flags))])
    height, width = (
        choices_to_compare(model.contract, axis, MOST_STEPS) or [] for axis in (down, across)
    )
    if len(height) * len(width) > MAX_MAP_CELLS:
        message = f"{len(height):,} by {len(width):,} is more than {MAX_MAP_CELLS:,} cells"
        raise InvalidInput([FieldError("columns", message)])
    changes = [{rows: r, columns: c} for r, _ in height for c, _ in width]
    scores = model.score(_rows(model, item, changes))
    at = flags.index(flag)
    cells = [
        [answer[at] for answer in scores[first : first + len(width)]]
        for first in range(0, len(scores), len(width))
    ]
    return ScoreMap(height, width, cells)


def _rows(
    model: ModelVersion, item: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]
) -> list[Row]:
    return [model.encoder.encode({**item, **change}) for change in changes]


def _step(value: Number) -> AxisValue:
    return value, f"{value:.12g}"  # points may be close together


def _with_own(span: Range, choices: list[AxisValue], own: Any) -> list[AxisValue]:
    """The points with the case's own value among them, so that the curve includes the answer."""
    if not span.holds(own) or any(value == own for value, _ in choices):
        return choices
    place = sum(value is not None and value < own for value, _ in choices)
    return [*choices[:place], _step(own), *choices[place:]]


def _feature(contract: Contract, name: str, parameter: str) -> Feature:
    names = {feature.name: feature for feature in comparable(contract)}
    if name not in names:
        near = nearest(name, list(names))
        known = (
            ", ".join(list(names)[:10])
            or "none of this model has a list of values or a known range"
        )
        raise InvalidInput([FieldError(parameter, f"name a feature to compare: {known}", near)])
    return names[name]
