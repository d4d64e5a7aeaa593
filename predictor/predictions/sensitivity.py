"""How the model's answer moves with its inputs. What the model says, not what causes what.

Nothing here is put on record: these are questions about the model, not answers about a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from predictor.artifacts.contract import MAX_LABELS, Contract, Feature
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import nearest
from predictor.artifacts.kinds import UNKNOWN
from predictor.artifacts.scores import Scores
from predictor.artifacts.version import ModelVersion

MAX_STEPS = 200  # whole numbers between a feature's bounds that are still a list to choose from
MAX_MAP_CELLS = MAX_LABELS  # of one map

Step = tuple[Any, str]


@dataclass(frozen=True, slots=True)
class Option:
    """One value the varied feature could have, and the scores it would bring."""

    value: Any
    shown: str
    current: bool
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """Scores over every pair of two features' values; ``cells[row][column]`` is one flag's."""

    rows: list[Step]
    columns: list[Step]
    cells: list[list[float]]


def choices_to_compare(feature: Feature) -> list[Step] | None:
    """Every value ``feature`` can have, or None when they are too many to list."""
    steps = feature.kind.steps(feature, MAX_STEPS)
    return [*steps, (None, UNKNOWN)] if steps and feature.missing else steps


def comparable(contract: Contract) -> list[Feature]:
    """The features whose values can be listed."""
    return [feature for feature in contract.features if choices_to_compare(feature)]


def compare(model: ModelVersion, item: Mapping[str, Any], vary: str) -> list[Option]:
    """The scores of ``item`` for every value of the feature ``vary``, in lookup order.

    The item may leave ``vary`` out. Raises InvalidInput naming every field that is wrong,
    ScoringError when the model gives no usable score.
    """
    feature = _feature(model.contract, vary, "vary")
    choices = choices_to_compare(feature) or []
    model.encoder.encode({vary: choices[0][0], **item})
    scores = _scores(model, item, [{vary: value} for value, _ in choices])
    names = model.contract.flag_names
    return [
        Option(value, shown, item.get(vary) == value, dict(zip(names, row, strict=True)))
        for (value, shown), row in zip(choices, scores, strict=True)
    ]


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
    height, width = choices_to_compare(down) or [], choices_to_compare(across) or []
    if len(height) * len(width) > MAX_MAP_CELLS:
        message = f"{len(height):,} by {len(width):,} is more than {MAX_MAP_CELLS:,} cells"
        raise InvalidInput([FieldError("columns", message)])
    scores = _scores(model, item, [{rows: r, columns: c} for r, _ in height for c, _ in width])
    at = flags.index(flag)
    cells = [
        [answer[at] for answer in scores[first : first + len(width)]]
        for first in range(0, len(scores), len(width))
    ]
    return ScoreMap(height, width, cells)


def _scores(model: ModelVersion, item: Mapping[str, Any], changes: list[dict[str, Any]]) -> Scores:
    return model.score([model.encoder.encode({**item, **change}) for change in changes])


def _feature(contract: Contract, name: str, parameter: str) -> Feature:
    names = {feature.name: feature for feature in comparable(contract)}
    if name not in names:
        near = nearest(name, list(names))
        known = ", ".join(list(names)[:10]) or "none of this model has a list of values"
        raise InvalidInput([FieldError(parameter, f"name a feature to compare: {known}", near)])
    return names[name]
