"""Do outcomes agree with a model's own probabilities? Needs outcomes, but no second model."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from predictor.artifacts.figures import counted

from .accuracy import are_probabilities
from .sequences import ALPHA, FEWEST_STRICT, promise_bound

MOST_LABELS = 60  # of a feature whose labels are tested one by one

_Place = tuple[str, str, str]  # feature, label, flag; the first two empty: all outcomes


@dataclass(frozen=True)
class Promise:
    """A flag's stated and actual frequency, over all outcomes or those with one label."""

    feature: str
    label: str
    flag: str
    count: int  # outcomes
    stated: float  # sum of probabilities: how often the flag should have come true
    happened: int
    bound: float  # how far the two may differ by chance, over all looks

    @property
    def is_kept(self) -> bool:
        return abs(self.happened - self.stated) <= self.bound

    def __str__(self) -> str:
        where = f" where {self.feature} is {self.label}" if self.feature else ""
        return (
            f"{self.flag}{where} came true {counted(self.happened, 'time')} in {self.count:,}, "
            f"stated were {self.stated:,.1f}, chance explains {self.bound:,.1f} more or fewer"
        )


class Promises:
    """Counts of outcomes and sums of stated probabilities, overall and by label."""

    def __init__(self, flags: Collection[str], labels: Mapping[str, Collection[str]]) -> None:
        """``labels`` of each feature; features with more than MOST_LABELS are not tested."""
        # of two flags, the first is the complement of the second
        self._flags = list(flags)[1:] if len(flags) == 2 else list(flags)
        self._labels = {name: {*known} for name, known in labels.items()
                        if 1 < len(known) <= MOST_LABELS}  # fmt: skip
        self._sums: dict[_Place, tuple[int, float, float, int]] = {}

    def add(self, inputs: Mapping[str, object], scores: Mapping[str, float], truth: str) -> None:
        """Count one outcome; an answer without probabilities is ignored."""
        if not are_probabilities(scores):
            return
        places = [("", "")]
        for name, known in self._labels.items():
            label = inputs.get(name)
            if isinstance(label, str) and label in known:
                places.append((name, label))
        for flag in self._flags:
            p = scores.get(flag, 0.0)
            for feature, label in places:
                count, stated, variance, hits = self._sums.get((feature, label, flag), (0, 0, 0, 0))
                self._sums[feature, label, flag] = (
                    count + 1, stated + p, variance + p * (1 - p), hits + (truth == flag),
                )  # fmt: skip

    def found(self) -> list[Promise]:
        """Every place with FEWEST_STRICT outcomes: all outcomes first, then the furthest off.

        All places of one kind share the false alarms: each gets ALPHA divided by their number.
        """
        slices = sum(map(len, self._labels.values())) or 1
        found = []
        for (feature, label, flag), (count, stated, variance, hits) in self._sums.items():
            if count >= FEWEST_STRICT:
                alpha = ALPHA / len(self._flags) / (slices if feature else 1)
                bound = promise_bound(variance, alpha)
                found.append(Promise(feature, label, flag, count, stated, hits, bound))
        return sorted(
            found,
            key=lambda one: (bool(one.feature), one.bound - abs(one.happened - one.stated)),
        )
