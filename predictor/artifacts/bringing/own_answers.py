"""The estimator's own answers to rows of its data, and whether a version gives the same."""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import ArtifactError, InvalidInput, ScoringError
from predictor.artifacts.figures import counted
from predictor.artifacts.outputs import Matrix, Outputs
from predictor.artifacts.untrusted import is_label, sentence
from predictor.artifacts.version import ModelVersion

from .training_data import TrainingData

ROWS = 50  # rows of the data that the estimator and the version both score
_SHOWN = 3  # rows that are printed, and differences that are named
_CLOSE = 1e-6  # rounding by float32, and by products of one row or of many

Say = Callable[[str], None]
_Pair = tuple[dict[str, Any], list[float]]  # an item, and the estimator's own answer


class OwnAnswers(NamedTuple):
    """A reading of the data, some of its rows, and the estimator's answers to them."""

    data: TrainingData
    rows: pd.DataFrame
    own: Matrix
    problem: str  # the estimator's error for rows with gaps, or for another reading


def answered(
    estimator: Any, readings: Iterable[TrainingData], metadata: Mapping[str, Any]
) -> OwnAnswers:
    """The first of ``readings`` that the estimator answers. Raises ArtifactError for none."""
    outputs, problem = Outputs(estimator, metadata), ""
    for data in readings:
        if data.table.empty:
            raise ArtifactError("the data has no rows")
        for rows in _samples(data.table):
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    own = outputs(data.given(rows), len(rows))
            except Exception as error:  # noqa: BLE001 - a foreign estimator may raise anything
                problem = problem or f"{type(error).__name__}: {error}"
                continue
            if np.isfinite(own).all():
                return OwnAnswers(data, rows, own, problem)
            problem = problem or "its answer is not a finite number"
    said = sentence(problem, 300).rstrip(".")
    raise ArtifactError(
        f"the estimator itself does not answer this data: {said}. Hand over the table that was "
        "passed to fit; what changes it before that must be part of the pipeline"
    )


def _samples(table: pd.DataFrame) -> Iterable[pd.DataFrame]:
    """Rows from all over the data, some with a gap in each column; then rows without gaps."""
    holed = [np.flatnonzero(table[name].isna())[:2].tolist() for name in table]
    gaps = list(dict.fromkeys(place for places in holed for place in places))[: ROWS // 2]
    yield _spread(table, gaps)
    if gaps:
        whole = table.dropna()
        if not whole.empty:
            yield _spread(whole, [])


def _spread(table: pd.DataFrame, chosen: Sequence[int]) -> pd.DataFrame:
    others = np.delete(np.arange(len(table)), chosen)
    few = np.linspace(0, len(others) - 1, min(len(table), ROWS) - len(chosen)).astype(int)
    return table.iloc[sorted([*chosen, *others[few].tolist()])]


def _cells(rows: pd.DataFrame) -> list[list[Any]]:
    columns = [rows[name].astype(object).tolist() for name in rows]
    return [list(row) for row in zip(*columns, strict=True)]


def _item(contract: Contract, row: Sequence[Any]) -> dict[str, Any]:
    """A row of the data as the item of a request."""
    cells = iter(row)
    return {
        feature.name: _value(feature, [next(cells) for _ in range(feature.size)])
        for feature in contract.features
    }


def _value(feature: Feature, cells: Sequence[Any]) -> Any:
    if feature.kind.name == "numbers":
        return [float(cell) for cell in cells]
    cell = cells[0].item() if isinstance(cells[0], np.generic) else cells[0]
    if pd.isna(cell):
        return None
    if feature.is_choice:
        return _label(feature, cell)
    if feature.kind.name == "date":
        return pd.Timestamp(cell).date().isoformat()
    if feature.kind.name == "date-time":
        return pd.Timestamp(cell).isoformat()
    return bool(cell) if feature.kind.name == "boolean" else cell


def _label(feature: Feature, cell: Any) -> str:
    labels = feature.labels or {}
    return next((label for label, known in labels.items() if known == cell), str(cell))


def _nameless(contract: Contract, item: Mapping[str, Any]) -> Iterator[str]:
    """The labels of ``item`` that a request cannot name, such as blanks."""
    for feature in contract.features:
        value = item[feature.name]
        if feature.is_choice and value is not None and not is_label(value):
            yield f"{feature.name}, {value!r}"


def _askable(contract: Contract, pairs: list[_Pair], say: Say) -> list[_Pair]:
    """The items, each with its answer, of which a request can name every label."""
    nameless = [pair for pair in pairs if any(_nameless(contract, pair[0]))]
    if nameless:
        label = next(_nameless(contract, nameless[0][0]))
        left_out = counted(len(nameless), "row is", "rows are")
        say(f"{left_out} left out: no request can have the label of {label}. Where it matters, fit "
            "on another word for it")  # fmt: skip
    return [pair for pair in pairs if pair not in nameless]


def compare(version: ModelVersion, rows: pd.DataFrame, own: Matrix, say: Say) -> None:
    """Have ``version`` score ``rows``, each as a request over the network.

    Raises ArtifactError where an answer differs from ``own``, and where no row can be asked.
    """
    items = [_item(version.contract, row) for row in _cells(rows)]
    pairs = _askable(version.contract, list(zip(items, own.tolist(), strict=True)), say)
    wrong, largest = [], 0.0
    names = version.contract.flag_names
    for place, (item, expected) in enumerate(pairs):
        sent = json.dumps(item, ensure_ascii=False)
        try:
            scores = version.score([version.encoder.encode(json.loads(sent))])[0]
        except (InvalidInput, ScoringError) as error:
            wrong.append(f"{sentence(sent, 200)}: {error}")
            continue
        apart = float(np.abs(np.subtract(scores, expected)).max())
        largest = max(largest, apart)
        top = int(np.argmax(expected))
        words = f"{names[top]}: {expected[top]:.6g} by the estimator, {scores[top]:.6g} served"
        if not np.allclose(scores, expected, rtol=_CLOSE, atol=_CLOSE):
            wrong.append(f"{sentence(sent, 200)}: {words}")
        elif place < _SHOWN:
            say(f"  {sentence(sent, 100)}\n    {words}")
    say(f"{len(pairs) - len(wrong)} of {len(pairs)} rows get the estimator's own answer, "
        f"to within {largest:.2g}")  # fmt: skip
    if not pairs:
        raise ArtifactError("no row of the data can be scored: fit on words instead of blanks")
    if wrong:
        raise ArtifactError(
            "the server does not answer as the estimator does. " + "; ".join(wrong[:_SHOWN])
            + '. Say what those inputs are in metadata.json, {"features": {…: {"type": …}}}, or '
            "fit on columns as a server has them: float64, int64, texts, dates, booleans"
        )  # fmt: skip
