"""From rows to scores: one float per flag, in the order of the flags."""

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from . import direct
from .columns import Columns
from .contract import Contract
from .direct import ScoreFunction
from .errors import Abstention, ArtifactError, ImpossibleScores, ScoringError
from .flags import in_order_of
from .inputs import Cell, Row
from .outputs import Matrix, Outputs
from .scores import Scores, remembered_rows
from .states import restorer
from .trial_rows import sample_rows, trial_rows
from .untrusted import sentence

FEW = 64  # rows of several requests scored in one call
_SAMPLE = 2 * FEW  # rows on which a shortcut must give the same numbers as the estimator
_TRIED = 100  # rows to try a model with until it answers one
UNFITTED = "the model is not fitted: call fit before saving it"
_MAX_BLAMED = 50  # features to search for the one that an estimator cannot take

# What estimators raise for values they have no answer for; anything else is a fault.
_ABSTAINING = (ArithmeticError, LookupError, ValueError)
_ARRAY = re.compile(r"array\(.*?\)|\[[^\]]{80,}\]", re.DOTALL)
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.~ -]+){2,}")


class Scorer:
    """A fitted estimator bound to its contract; ``kind`` is the kind of score, see Outputs."""

    confinement = "none: the estimator runs in this process"

    def __init__(
        self,
        contract: Contract,
        estimator: Any,
        shortcut: bool | None = None,
        values: Mapping[str, Sequence[Cell]] | None = None,
        rows: Sequence[Row] = (),
    ) -> None:
        """``shortcut``: whether the examination proved one; None: prove it now.

        ``values`` by feature, and whole ``rows``, are what the estimator is likely to know.
        Raises ArtifactError when estimator and contract do not fit, or no trial score succeeds.
        """
        self._contract = contract
        self._estimator = estimator
        self._restore = restorer(estimator)
        self._columns = Columns(contract, estimator)
        self.outputs = Outputs(estimator, contract.metadata)
        self.kind = self.outputs.kind
        self._shortcut: ScoreFunction | None = None
        self._check_order()
        self._candidates = [*rows, *itertools.islice(trial_rows(contract, values or {}), _TRIED)]
        self.trial = self._try_rows(self._candidates)
        if shortcut is None:
            self._shortcut = self._proven_shortcut()
        elif shortcut:
            self._shortcut = direct.proven_before(estimator)
            self._restore = restorer(estimator)  # without the merged trees, now released
        self._remembered = lru_cache(maxsize=remembered_rows(contract))(self._score_one)

    @property
    def has_shortcut(self) -> bool:
        """Whether a shortcut gives the estimator's numbers."""
        return self._shortcut is not None

    @property
    def takes_floats(self) -> bool:
        """Whether every cell of a row may be sent as a float."""
        return self._columns.takes_floats

    @property
    def width(self) -> int:
        """The number of scores per row."""
        return len(self._contract.flags)

    def scores_rows_apart(self) -> bool:
        """Whether rows scored in one call get the same bits as each would alone."""
        if not self.has_shortcut or not direct.keeps_rows_apart(self._estimator):
            return False
        rows = [tuple(row) for row in sample_rows(self._contract.features, FEW)]
        try:
            return self._score(rows) == [self._score_one(row) for row in rows]
        except ScoringError:
            return False

    @property
    def classes(self) -> list[str]:
        """The names of the classes, where the estimator has one list of them."""
        classes = self.outputs.classes
        return [str(name) for name in classes[0]] if len(classes) == 1 else []

    def score(self, rows: Sequence[Row]) -> Scores:
        """One list per row, one finite float per flag.

        Raises Abstention where the estimator has no answer for some row, another ScoringError when
        it fails or its answer is impossible.
        """
        return [self._remembered(rows[0])] if len(rows) == 1 else self._score(rows)

    def wake(self) -> None:
        """Nothing to do: the estimator is in memory."""

    def more_rows(self) -> Sequence[Row]:
        """Some more rows that the contract allows."""
        return [*self._candidates, *sample_rows(self._contract.features, _TRIED)][:_TRIED]

    def _score_one(self, row: Row) -> Sequence[float]:
        return self._score([row])[0]

    def _score(self, rows: Sequence[Row]) -> Scores:
        try:
            return self._checked(rows)
        except Abstention as abstention:
            raise self._blamed(rows, abstention) from abstention.__cause__

    def _checked(self, rows: Sequence[Row]) -> Scores:
        try:
            scores = self._ask(rows)
        except ScoringError:
            raise
        except _ABSTAINING as error:
            raise Abstention(_cleaned(str(error))) from error
        except Exception as error:  # a foreign estimator may raise anything at all
            raise ScoringError(f"the model failed: {type(error).__name__}: {error}") from error
        expected = (len(rows), len(self._contract.flags))
        if scores.shape != expected:
            raise ScoringError(f"the model answered {scores.shape} scores, not {expected}")
        if not np.isfinite(scores).all():
            raise Abstention("its score is not a finite number")
        self.outputs.check(scores, lambda: self._columns.build(rows))
        answers: list[list[float]] = scores.tolist()
        return answers

    def _blamed(self, rows: Sequence[Row], abstention: Abstention) -> Abstention:
        """The abstention with its row and the features that cause it."""
        low, high = 0, len(rows)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.abstention(rows[low:middle]) else (middle, high)
        row = rows[low]
        changed = (
            (feature.name, (*row[:at], self.trial[at], *row[at + 1 :]))
            for at, feature in enumerate(self._contract.features[:_MAX_BLAMED])
            if row[at] != self.trial[at]
        )
        fields = [name for name, other in changed if not self.abstention([other])]
        return Abstention(abstention.sentence, fields, low)

    def abstention(self, rows: Sequence[Row]) -> Abstention | None:
        """Why some of ``rows`` have no answer; None where each has one.

        It costs one call, and so does not say which rows. Raises another ScoringError for a
        failure.
        """
        try:
            self._checked(rows)
        except Abstention as abstention:
            return abstention
        return None

    def _ask(self, rows: Sequence[Row]) -> Matrix:
        if self._shortcut:
            matrix = self._columns.matrix(rows)
            try:
                return self._shortcut(matrix)
            except OverflowError:
                pass  # the estimator's own method decides about so large a number
        return self._ask_estimator(self._columns.build(rows))

    def _ask_estimator(self, inputs: Any) -> Matrix:
        self._restore()
        return self.outputs(inputs, len(inputs))

    def _proven_shortcut(self) -> ScoreFunction | None:
        """A shortcut to exactly the same numbers, proven on rows this contract allows."""
        usual = self.outputs.method in ("predict_proba", "predict") and self.kind != "hard"
        if not (usual and self._columns.numeric):
            return None
        rows = list(sample_rows(self._contract.features, _SAMPLE))
        parts = [rows, rows[:FEW], *([row] for row in rows[:FEW])]
        sample = [self._columns.matrix(part) for part in parts]
        waiting = iter(parts)

        def own(matrix: Matrix) -> Matrix:
            del matrix  # the same rows, in the form the estimator gets
            return self._ask_estimator(self._columns.build(next(waiting)))

        return direct.shortcut(self._estimator, own, sample)

    def _check_order(self) -> None:
        """The flags are in the classes' order, as far as their names say."""
        names = self._contract.flag_names
        keys = self._contract.classes
        many = len(self.outputs.classes) > 1
        if many or (len(self.classes) != len(names) and keys is None):
            return
        if in_order_of(names, None, self.classes) != names:
            raise ArtifactError("flags.pkl is not in the order of the model's classes")

    def _try_rows(self, rows: Sequence[Row]) -> Row:
        """The first of ``rows`` that the model gives a usable score for."""
        problem = "there is no row to try the model with"
        for row in rows:
            try:
                answer = self._ask([row])
            except Exception as error:  # noqa: BLE001 - a foreign estimator may raise anything
                problem = f"a trial score failed: {type(error).__name__}: {error}"
                if type(error).__name__ == "NotFittedError":
                    problem = UNFITTED
                continue
            if answer.ndim != 2 or answer.shape != (1, len(self._contract.flags)):
                raise ArtifactError(self._odd(answer))
            if not np.isfinite(answer).all():
                problem = "a trial score is not a finite number"
                continue
            if self._is_possible(answer, row):
                return row
            problem = "a trial score gives every class the probability 0"
        raise ArtifactError(problem)

    def _is_possible(self, answer: Matrix, row: Row) -> bool:
        try:
            self.outputs.check(answer, lambda: self._columns.build([row]))
        except Abstention:
            return False
        except ImpossibleScores as error:
            raise ArtifactError(f"a trial score is impossible: {error}") from error
        return True

    def _odd(self, answer: Matrix) -> str:
        outputs = answer.shape[1] if answer.ndim == 2 else 0
        many = "1 output" if outputs == 1 else f"{outputs} outputs"
        named = f"the model has {many}, flags.pkl names {len(self._contract.flags)}"
        if len(self.classes) == outputs:
            return f"{named}: write one for each class, list(map(str, model.classes_))"
        return f'{named}: write a name for each, such as ["{self.outputs.method}"]'


def _cleaned(words: str) -> str:
    """An estimator's own sentence without paths and arrays, on one line."""
    shown = _PATH.sub("…", _ARRAY.sub("…", words))
    return sentence(shown, 300) or "it does not say why"
