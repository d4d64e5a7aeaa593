"""From rows to scores: one float per flag, in the order of the flags."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from . import direct
from .contract import Contract, Feature
from .direct import ScoreFunction
from .errors import ArtifactError, ScoringError
from .inputs import Row
from .merged_forest import FEW
from .scores import ScoreKind, Scores
from .trial_rows import sample_rows, trial_rows

_Matrix = npt.NDArray[np.float64]
_REMEMBERED = 10_000  # rows whose scores are kept for when they come again
_SAMPLE = 2 * FEW  # rows on which a shortcut must give the estimator's own numbers


class Scorer:
    """A fitted estimator bound to its contract.

    ``kind`` says what a score is: a ``probability`` (``predict_proba``), ``hard`` (1.0 for the
    predicted class, 0.0 for the others) or a ``value`` (a regressor's own number).
    """

    confinement = "none: the estimator runs in this process"

    def __init__(self, contract: Contract, estimator: Any, shortcut: bool | None = None) -> None:
        """``shortcut``: whether the examination proved one; None: it is to be proven now.

        Raises ArtifactError when estimator and contract do not fit, or a trial score fails.
        """
        self._contract = contract
        self._estimator = estimator
        self._columns = _column_names(contract, estimator)
        self.kind = _score_kind(estimator)
        self._classes = _classes(estimator)
        self._shortcut: ScoreFunction | None = None
        self._check_width()
        self._check_order()
        self.trial = self._try_a_row()
        if shortcut is None:
            self._shortcut = None if self.kind == "hard" else self._proven_shortcut()
        elif shortcut:
            self._shortcut = direct.proven_before(estimator)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._score_one)

    @property
    def has_shortcut(self) -> bool:
        """Whether a shorter way than the estimator's own is taken to the same numbers."""
        return self._shortcut is not None

    @property
    def takes_floats(self) -> bool:
        """Whether a row is numbers to the estimator, however they were written."""
        as_text = any(feature.passed_as == "label" for feature in self._contract.features)
        return self._columns is None and not as_text

    @property
    def outputs(self) -> int:
        """How many scores a row gets."""
        return len(self._contract.flags)

    def scores_rows_apart(self) -> bool:
        """Whether rows scored in one call get, to the bit, what each gets by itself."""
        if not self.has_shortcut or not direct.keeps_rows_apart(self._estimator):
            return False
        rows = [tuple(row) for row in sample_rows(self._contract.features, FEW)]
        try:
            return self._score(rows) == [self._score_one(row) for row in rows]
        except ScoringError:
            return False

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one finite float per flag.

        Raises ScoringError when the estimator raises or answers anything else.
        """
        return [self._remembered(rows[0])] if len(rows) == 1 else self._score(rows)

    def _score_one(self, row: Row) -> Sequence[float]:
        return self._score([row])[0]

    def _score(self, rows: Sequence[Row]) -> Scores:
        try:
            scores = self._ask(rows)
        except ScoringError:
            raise
        except Exception as error:  # a foreign estimator may raise anything at all
            raise ScoringError(f"the model failed: {type(error).__name__}: {error}") from error
        expected = (len(rows), len(self._contract.flags))
        if scores.shape != expected:
            raise ScoringError(f"the model answered {scores.shape} scores, not {expected}")
        if not np.isfinite(scores).all():
            raise ScoringError("the model answered a score that is not a finite number")
        answers: list[list[float]] = scores.tolist()
        return answers

    def _ask(self, rows: Sequence[Row]) -> _Matrix:
        if self._shortcut:
            matrix = self._array(rows)
            try:
                return self._shortcut(matrix)
            except OverflowError:
                pass  # the estimator says in its own way what it makes of so large a number
        return self._ask_estimator(_matrix(rows, self._contract.features, self._columns))

    def _array(self, rows: Sequence[Row]) -> _Matrix:
        # a DataFrame lies column by column in memory, and products round by the way they lie
        return np.array(rows, dtype=np.float64, order="C" if self._columns is None else "F")

    def _proven_shortcut(self) -> ScoreFunction | None:
        """A shorter way to the very same numbers, proven on rows this contract allows."""
        features = self._contract.features
        if any(feature.passed_as == "label" for feature in features):
            return None
        rows = list(sample_rows(features, _SAMPLE))
        sample = [self._array(part) for part in [rows, rows[:FEW], *([r] for r in rows[:FEW])]]

        def own(matrix: _Matrix) -> _Matrix:
            cells = [tuple(row) for row in matrix.tolist()]
            return self._ask_estimator(_matrix(cells, features, self._columns))

        return direct.shortcut(self._estimator, own, sample)

    def _ask_estimator(self, matrix: Any) -> _Matrix:
        if self.kind == "probability":
            return _side_by_side(self._estimator.predict_proba(matrix))
        answer = np.asarray(self._estimator.predict(matrix))
        answer = answer.reshape(len(matrix), -1)
        if self.kind == "value":
            return answer.astype(np.float64)
        if len(self._classes) == 1 and answer.shape[1] > 1:  # multilabel: one 0/1 column per class
            return answer.astype(np.float64)
        hits = [answer[:, [i]] == classes for i, classes in enumerate(self._classes)]
        return np.hstack(hits).astype(np.float64)

    def _check_width(self) -> None:
        features = self._contract.features
        wanted = getattr(self._estimator, "n_features_in_", len(features))
        if wanted != len(features):
            raise ArtifactError(
                f"the model was fitted on {wanted} features, lookup.pkl describes {len(features)}"
            )

    def _check_order(self) -> None:
        """Flags that are the classes' own names must stand in the classes' order."""
        if len(self._classes) != 1:
            return
        flags, classes = self._contract.flag_names, [str(name) for name in self._classes[0]]
        if flags != classes and sorted(flags) == sorted(classes):
            raise ArtifactError(
                f"flags.pkl lists {flags}, the model answers in the order of its classes, {classes}"
            )

    def _try_a_row(self) -> Row:
        """A valid row that the model gives a usable score for."""
        for row in trial_rows(self._contract):
            try:
                answer = self._ask([row])
                if answer.shape == (1, len(self._contract.flags)) and np.isfinite(answer).all():
                    return row
                problem = self._odd(answer)
            except Exception as error:  # noqa: BLE001 - a foreign estimator may raise anything
                problem = f"a trial score failed: {type(error).__name__}: {error}"
                if type(error).__name__ == "NotFittedError":
                    problem = "the model is not fitted: call fit before saving it"
        raise ArtifactError(problem)

    def _odd(self, answer: _Matrix) -> str:
        outputs = answer.shape[1] if answer.ndim == 2 else 0
        if outputs != len(self._contract.flags):
            return f"the model has {outputs} outputs, flags.pkl names {len(self._contract.flags)}"
        return "a trial score is not a finite number"


def _score_kind(estimator: Any) -> ScoreKind:
    if callable(getattr(estimator, "predict_proba", None)):
        return "probability"
    if not callable(getattr(estimator, "predict", None)):
        raise ArtifactError(f"a {type(estimator).__name__} has neither predict_proba nor predict")
    return "hard" if getattr(estimator, "classes_", None) is not None else "value"


def _classes(estimator: Any) -> list[npt.NDArray[Any]]:
    """One array of classes per output of a classifier; nothing for a regressor."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return []
    return [np.asarray(c) for c in classes] if isinstance(classes, list) else [np.asarray(classes)]


def _column_names(contract: Contract, estimator: Any) -> list[str] | None:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return None
    fitted, described = list(map(str, names)), [feature.name for feature in contract.features]
    if fitted != described:
        raise ArtifactError(
            f"the model was fitted on the columns {fitted}, lookup.pkl describes {described}; "
            "names and order must agree"
        )
    return fitted


def _matrix(rows: Sequence[Row], features: Sequence[Feature], columns: list[str] | None) -> Any:
    """What the estimator is given: a DataFrame where it was fitted on one, else an array."""
    if columns is not None:
        # pandas costs 40 MB and half a second: only models that were fitted on a table need it
        import pandas as pd  # noqa: PLC0415

        return pd.DataFrame.from_records(list(rows), columns=columns)
    as_text = any(feature.passed_as == "label" for feature in features)
    return np.array(rows, dtype=object if as_text else np.float64)


def _side_by_side(answer: Any) -> _Matrix:
    """Multi-output classifiers answer a list of arrays; the flags stand for all their columns."""
    if isinstance(answer, list):
        return np.hstack([np.asarray(part, dtype=np.float64) for part in answer])
    return np.asarray(answer, dtype=np.float64)
