"""Where a model is weak: its cases by the labels of each feature, by month and by size."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .cases import HIGH, LOW, Cases, Numbers
from .losses import log_loss

SMALLEST_CELL = 30  # cases; the share of a smaller group is too coarse for an interval to be judged
SIZES = ((1000, "1,000 and more"), (300, "300 to 999"), (100, "100 to 299"), (30, "30 to 99"))
SIZE = "cases in the group"


@dataclass(frozen=True)
class Slice:
    """The cases with one label. ``flag`` is the one whose share is furthest off."""

    feature: str
    label: str
    n: float
    flag: str
    stated: float
    actual: float
    log_loss: float
    gain: float | None = None  # log loss of the reference minus that of the model
    cells: int = 0  # groups of 30 cases and more
    coverage: float | None = None  # share of these whose actual share is in the interval

    @property
    def gap(self) -> float:
        return self.stated - self.actual

    def as_json(self) -> dict[str, Any]:
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}
        return {**rounded, "n": round(self.n), "gap": round(self.gap, 4)}


def slices(cases: Cases, judged: str, reference: str = "") -> list[Slice]:
    """Every slice of every feature with few labels, the furthest off first."""
    scores, others = cases.scores[judged], cases.scores.get(reference)
    held = holding(cases) or []
    sliced = {name: cases.column(name) for name in cases.features}
    sliced[SIZE] = [_size(size) for size in cases.sizes]
    found = [
        _slice(cases, (feature, label), [at for at, each in enumerate(labels) if each == label],
               (scores, others, held))
        for feature, labels in sliced.items()
        if len({*labels}) <= max(60, len(labels) // 20)
        for label in sorted({*labels})
    ]  # fmt: skip
    return sorted(found, key=lambda each: -abs(each.gap))


def holding(cases: Cases) -> list[tuple[int, float]] | None:
    """(row, share of flags whose interval held) of each group of 30 cases; None without intervals.

    Of two flags each is the other's complement, so either interval will do.
    """
    low, high = cases.scores.get(LOW), cases.scores.get(HIGH)
    if low is None or high is None:
        return None
    flags = range(len(cases.flags)) if len(cases.flags) > 2 else [len(cases.flags) - 1]
    found = []
    for at, (counted, size) in enumerate(zip(cases.counts, cases.sizes, strict=True)):
        if size >= SMALLEST_CELL:
            held = [low[at][k] - 1e-7 <= counted[k] / size <= high[at][k] + 1e-7 for k in flags]
            found.append((at, sum(held) / len(held)))
    return found


def mean_holding(held: Sequence[tuple[int, float]]) -> float:
    """The share of intervals that held."""
    return sum(share for _, share in held) / len(held)


def _slice(
    cases: Cases,
    name: tuple[str, str],
    rows: list[int],
    known: tuple[Sequence[Numbers], Sequence[Numbers] | None, list[tuple[int, float]]],
) -> Slice:
    scores, others, held = known
    counts = [cases.counts[at] for at in rows]
    ours = [scores[at] for at in rows]
    n = sum(map(sum, counts)) or 1.0
    shares = [_stated_and_actual(ours, counts, n, k) for k in range(len(cases.flags))]
    # the last of equals: of two flags, people ask about the second
    worst = max(range(len(shares)), key=lambda k: (round(abs(shares[k][0] - shares[k][1]), 9), k))
    inside = {*rows}
    cells = [each for each in held if each[0] in inside]
    loss = log_loss(ours, counts)
    return Slice(
        *name,
        n=n,
        flag=cases.flags[worst],
        stated=shares[worst][0],
        actual=shares[worst][1],
        log_loss=loss,
        gain=None if others is None else log_loss([others[at] for at in rows], counts) - loss,
        cells=len(cells),
        coverage=mean_holding(cells) if cells else None,
    )


def _stated_and_actual(
    scores: Sequence[Numbers], counts: Sequence[Numbers], n: float, flag: int
) -> tuple[float, float]:
    """The flag's share of ``n`` cases as the model states it, and as it came true."""
    pairs = zip(scores, counts, strict=True)
    stated = sum(score[flag] * sum(counted) for score, counted in pairs)
    return stated / n, sum(counted[flag] for counted in counts) / n


def _size(size: float) -> str:
    return next((words for least, words in SIZES if size >= least), "under 30")
