"""Which method of an estimator gives the scores, and what its numbers mean."""

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import Abstention, ArtifactError, ImpossibleScores
from .metadata import OUTPUTS_FROM
from .scores import ScoreKind

Matrix = npt.NDArray[np.float64]
_SLACK = 1e-6  # rounding allowed in a probability, or in the sum of all
# Unless metadata.json chooses, the first of these that the estimator has.
_BY_ITSELF = ("predict_proba", "predict", "decision_function", "score_samples", "transform")


class Outputs:
    """The answers of one estimator as numbers, a row each.

    ``kind`` says what they are: ``probability`` (``predict_proba``), ``hard`` (1.0 for the
    predicted class, 0.0 for the others) or ``value`` (the estimator's own numbers).
    """

    def __init__(self, estimator: Any, metadata: Mapping[str, Any]) -> None:
        """Raises ArtifactError when the estimator has no such method."""
        self._estimator = estimator
        self.method = _method(estimator, str(metadata.get("outputs_from", "")))
        self._levels: Sequence[float] = metadata.get("quantiles", [])
        self.classes = _classes(estimator)
        self.kind = self._kind()
        self._ask: Callable[[Any], Any] = getattr(self, f"_{self.method}")
        self._independent: bool | None = None  # whether they are labels, not classes; if known

    def __call__(self, inputs: Any, rows: int) -> Matrix:
        """One row of numbers per row of ``inputs``."""
        return self._ask(inputs) if self.kind == "probability" else _table(self._ask(inputs), rows)

    def check(self, scores: Matrix, inputs: Callable[[], Any]) -> None:
        """Raises ImpossibleScores for impossible probabilities, Abstention where all are 0.

        ``inputs`` returns the scored rows, for the case that only the estimator can show whether
        several labels may be true at once.
        """
        if self.kind != "probability":
            return
        if scores.min(initial=0.0) < -_SLACK or scores.max(initial=0.0) > 1 + _SLACK:
            odd = float(scores[(scores < -_SLACK) | (scores > 1 + _SLACK)][0])
            raise ImpossibleScores(f"the model answered the probability {odd:g}")
        for sums in self._sums(scores):
            wrong = np.abs(sums - 1) > _SLACK
            if wrong.any() and not self._is_multilabel(inputs):
                if (sums[wrong] == 0).all():
                    raise Abstention("it gives every class the probability 0")
                odd = float(sums[wrong & (sums != 0)][0])
                raise ImpossibleScores(f"the model answered probabilities that sum to {odd:g}")

    def _is_multilabel(self, inputs: Callable[[], Any]) -> bool:
        if self._independent is None:
            predict = getattr(self._estimator, "predict", None)
            self._independent = (
                len(self.classes) == 1 and predict is not None and np.ndim(predict(inputs())) == 2
            )
        return self._independent

    def _sums(self, scores: Matrix) -> list[npt.NDArray[Any]]:
        """The sum of each output's probabilities, where these are of classes."""
        widths = [len(classes) for classes in self.classes]
        if sum(widths) != scores.shape[1]:  # a chain answers one column per link
            return []
        ends = np.cumsum(widths)
        return [scores[:, end - width : end].sum(axis=1)
                for width, end in zip(widths, ends, strict=True)]  # fmt: skip

    def _kind(self) -> ScoreKind:
        if self.method == "predict_proba":
            return "probability"
        return "hard" if self.method == "predict" and self.classes else "value"

    def _predict_proba(self, inputs: Any) -> Matrix:
        answer = self._estimator.predict_proba(inputs)
        if isinstance(answer, list):  # one array per output; the flags are all their columns
            return np.hstack([np.asarray(part, dtype=np.float64) for part in answer])
        return np.asarray(answer, dtype=np.float64)

    def _predict(self, inputs: Any) -> Any:
        answer = _dense(self._estimator.predict(inputs))
        if self.kind == "value":
            return answer
        answer = answer.reshape(len(answer), -1)
        if len(self.classes) == 1 and answer.shape[1] > 1:  # multilabel: a 0/1 column per class
            return answer
        return np.hstack([answer[:, [i]] == classes for i, classes in enumerate(self.classes)])

    def _decision_function(self, inputs: Any) -> Any:
        return self._estimator.decision_function(inputs)

    def _score_samples(self, inputs: Any) -> Any:
        return self._estimator.score_samples(inputs)

    def _transform(self, inputs: Any) -> Any:
        return _dense(self._estimator.transform(inputs))

    def _return_std(self, inputs: Any) -> Any:
        mean, deviation = self._estimator.predict(inputs, return_std=True)
        return np.column_stack([np.asarray(mean), np.asarray(deviation)])

    def _quantiles(self, inputs: Any) -> Any:
        """Quantiles of the normal distribution with the estimator's mean and standard deviation."""
        mean, deviation = self._estimator.predict(inputs, return_std=True)
        steps = [NormalDist().inv_cdf(level) for level in self._levels]
        return np.column_stack([np.asarray(mean) + step * np.asarray(deviation) for step in steps])


def _dense(answer: Any) -> npt.NDArray[Any]:
    """An answer as an array; a multilabel model may answer with a sparse matrix."""
    return np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)


def _table(answer: Any, rows: int) -> Matrix:
    array: Matrix = np.asarray(answer).astype(np.float64)
    return array.reshape(rows, -1)


def _method(estimator: Any, chosen: str) -> str:
    has = [name for name in _BY_ITSELF if callable(getattr(estimator, name, None))]
    if not chosen:
        if not has:
            raise ArtifactError(
                f"a {type(estimator).__name__} has neither predict_proba nor predict: pass a "
                "fitted classifier, regressor or pipeline that ends in one"
            )
        return has[0]
    needed = "predict" if chosen in ("return_std", "quantiles") else chosen
    if needed not in has:
        fit = ", ".join(name for name in OUTPUTS_FROM if name in has) or "none of them"
        raise ArtifactError(
            f"metadata.json: outputs_from is {chosen!r}, which a {type(estimator).__name__} does "
            f"not have; it has {fit}"
        )
    return chosen


def _classes(estimator: Any) -> list[npt.NDArray[Any]]:
    """One array of classes per output of a classifier; nothing for a regressor."""
    classes = getattr(estimator, "classes_", None)
    if classes is None or not len(classes):  # CatBoost's regressors have an empty array
        return []
    return [np.asarray(c) for c in classes] if isinstance(classes, list) else [np.asarray(classes)]
