"""Recorded outcomes as cases, to judge or train a model on what really happened."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion
from predictor.evidence.cases import OUTCOME, PERIOD
from predictor.log.uuid7 import first_at, time_of
from predictor.models import Outcome
from predictor.trials.shadow import check_kept, encode_logged

_CHUNK = 2_000  # rows
_Case = tuple[str, ...]  # the period, and the text of each feature
_Line = list[str | int]


class Truth:
    """The outcomes of a model's answers, as cases for one of its versions."""

    def __init__(self, model: ModelVersion, since: datetime | None = None) -> None:
        """Raises ShadowError if the log does not keep the inputs."""
        check_kept(model)
        self._model = model
        self._flags = model.contract.flag_names
        self._features = [feature.name for feature in model.contract.features]
        self._since = since
        self.cases = 0
        self.left_out = 0  # cases that the version would refuse, or whose outcome it does not know

    def rows(self) -> Iterator[_Line]:
        """Yield a header, and a row for each outcome, the oldest first.

        If a feature has the name of the outcome column, counts of equal cases are written instead.
        """
        if OUTCOME in self._features:
            yield from self.counts()
            return
        yield [*self._header(), OUTCOME]
        for case, flag in self._known():
            yield [*case, flag]

    def counts(self) -> Iterator[_Line]:
        """Yield a header, and a row for each different case with the count of each outcome."""
        counted: dict[_Case, Counter[str]] = {}
        for case, flag in self._known():
            counted.setdefault(case, Counter())[flag] += 1
        yield [*self._header(), *self._flags]
        for case, count in counted.items():
            yield [*case, *(count[flag] for flag in self._flags)]

    def _header(self) -> list[str]:
        return [*([] if PERIOD in self._features else [PERIOD]), *self._features]

    def _known(self) -> Iterator[tuple[_Case, str]]:
        outcomes = Outcome.objects.filter(model=self._model.name).order_by("prediction_id")
        if self._since is not None:
            outcomes = outcomes.filter(prediction_id__gte=first_at(self._since))
        known = outcomes.values_list("prediction_id", "prediction__inputs", "flag")
        for identity, inputs, flag in known.iterator(_CHUNK):
            try:
                encode_logged(self._model, inputs)
            except InvalidInput:
                self.left_out += 1
                continue
            if flag not in self._flags:
                self.left_out += 1
                continue
            self.cases += 1
            texts = [text_of(inputs.get(name)) for name in self._features]
            period = [] if PERIOD in self._features else [f"{time_of(identity):%Y-%m}"]
            yield (*period, *texts), flag
