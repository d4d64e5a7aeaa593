"""``cases.csv``: the cases a model is judged on.

One row per case or per group of equal cases, features in the caller's words. The outcome is either
one column per flag, which counts the cases where it came true, or a column ``outcome`` that names
the flag, with an optional ``weight``. Other optional columns:

- ``cluster``: cases of one cluster are not independent of each other;
- ``period``: the time of the case, as text that sorts by time (``2025-10``);
- ``NAME:flag``: the answer of a model called NAME. ``twin`` is the model fitted without these
  cases, ``low`` and ``high`` are the ends of its interval, any other NAME is a reference.
"""

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from predictor.artifacts.names import first_twin
from predictor.spreadsheets.cells import Cells, table_lines, unescape_formula
from predictor.spreadsheets.reading import CsvFile, UnreadableCSV

from .errors import EvidenceError

TWIN, LOW, HIGH = "twin", "low", "high"
OUTCOME, WEIGHT, CLUSTER, PERIOD = "outcome", "weight", "cluster", "period"
_RESERVED = (OUTCOME, WEIGHT, CLUSTER, PERIOD)

_SLACK = 1e-4  # rounding of a probability

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Cases:
    """Cases with known outcomes; every column is as long as ``rows``."""

    features: tuple[str, ...]
    flags: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]  # values of the features, as the caller writes them
    counts: Sequence[Numbers]  # of cases, a column for each flag
    scores: Mapping[str, Sequence[Numbers]] = field(default_factory=dict)  # by model
    clusters: Sequence[str] = ()
    periods: Sequence[str] = ()

    @property
    def sizes(self) -> list[float]:
        return [sum(counts) for counts in self.counts]

    def column(self, feature: str) -> list[str]:
        """The value of ``feature`` in every row."""
        at = self.features.index(feature)
        return [row[at] for row in self.rows]

    def with_scores(self, name: str, scores: Sequence[Sequence[float]]) -> "Cases":
        """The same cases with the answers of one more model."""
        return replace(self, scores={**self.scores, name: [tuple(row) for row in scores]})

    def without_scores(self, name: str) -> "Cases":
        """The same cases without the answers of one model."""
        return replace(self, scores={k: v for k, v in self.scores.items() if k != name})


def read_cases(data: bytes, features: Iterable[str], flags: Iterable[str]) -> Cases:
    """The cases in ``data``, of a model with these features and flags. Raises EvidenceError."""
    features, flags = tuple(features), tuple(flags)
    columns = _columns(data, features, flags)
    cases = Cases(
        features=features,
        flags=flags,
        rows=list(zip(*(columns[name] for name in features), strict=True)),
        counts=_counts(columns, flags),
        scores=_scores(columns, flags),
        clusters=columns.get(CLUSTER, ()) if CLUSTER not in features else (),
        periods=columns.get(PERIOD, ()) if PERIOD not in features else (),
    )
    if not 0 < sum(cases.sizes) < math.inf:
        raise EvidenceError("the cases have no counts above 0, or more than can be added up")
    return cases


def header_of(data: bytes) -> list[str]:
    """The names of the columns of cases. Raises EvidenceError."""
    try:
        return list(map(unescape_formula, CsvFile(io.BytesIO(data), _RESERVED).header))
    except UnreadableCSV as error:
        raise EvidenceError(f"the cases are not CSV: {error}") from error


def _columns(
    data: bytes, features: tuple[str, ...], flags: tuple[str, ...]
) -> dict[str, list[str]]:
    """Every column by its name; numbers with a decimal point, texts unescaped."""
    if not data:
        raise EvidenceError("the cases have no row")
    try:
        file = CsvFile(io.BytesIO(data), {*features, *flags, *_RESERVED})
        records = [(number, cells) for number, _, cells in file.rows()]
    except UnreadableCSV as error:
        raise EvidenceError(f"the cases are not CSV: {error}") from error
    header = list(map(unescape_formula, file.header))
    _check_header(header, features)
    if not records:
        raise EvidenceError("the cases have no row")
    for number, line in records:
        if len(line) != len(header):
            raise EvidenceError(
                f"row {number} of the cases has {len(line)} columns instead of {len(header)}"
            )
    point = file.dialect.with_point
    texts = {*features, OUTCOME, CLUSTER, PERIOD}
    columns = zip(*(cells for _, cells in records), strict=True)
    return {
        name: list(map(unescape_formula if name in texts else point, column))
        for name, column in zip(header, columns, strict=True)
    }


def write_cases(cases: Cases, digits: int = 8) -> bytes:
    """``cases`` as the bytes of ``cases.csv``; scores are rounded to ``digits`` places."""
    return table_lines(_rows(cases, digits))


def _rows(cases: Cases, digits: int) -> Iterator[Cells]:
    extra = {name: column for name, column in _extra(cases).items() if column}
    named = [f"{name}:{flag}" for name in cases.scores for flag in cases.flags]
    yield [*extra, *cases.features, *cases.flags, *named]
    for at, row in enumerate(cases.rows):
        counted = [f"{count:.15g}" for count in cases.counts[at]]
        scored = [_decimal(s, digits) for scores in cases.scores.values() for s in scores[at]]
        yield [*(column[at] for column in extra.values()), *row, *counted, *scored]


def _decimal(score: float, digits: int) -> str:
    return f"{score:.{digits}f}".rstrip("0").rstrip(".") or "0"


def _extra(cases: Cases) -> dict[str, Sequence[str]]:
    return {PERIOD: cases.periods, CLUSTER: cases.clusters}


def _check_header(header: list[str], features: tuple[str, ...]) -> None:
    if (twin := first_twin(header)) is not None:
        raise EvidenceError(f"the cases have the column {twin!r} twice")
    if missing := [name for name in features if name not in header]:
        raise EvidenceError(f"the cases have no column {missing[0]!r}, a feature of the model")


def _counts(columns: Mapping[str, list[str]], flags: tuple[str, ...]) -> list[Numbers]:
    if all(flag in columns for flag in flags):
        return list(zip(*(_numbers(flag, columns[flag]) for flag in flags), strict=True))
    if OUTCOME not in columns:
        missing = next(flag for flag in flags if flag not in columns)
        raise EvidenceError(
            f"the cases must say what happened: in a column {OUTCOME!r} that names the flag, or in "
            f"one column of counts for each flag (there is no {missing!r})"
        )
    return _counted(columns, flags)


def _counted(columns: Mapping[str, list[str]], flags: tuple[str, ...]) -> list[Numbers]:
    """A row's weight, else 1, for the flag that its outcome names."""
    outcomes = columns[OUTCOME]
    if strange := sorted({*outcomes} - {*flags}):
        raise EvidenceError(
            f"the outcome {strange[0]!r} is none of the model's flags: {', '.join(flags[:10])}"
        )
    weights = _numbers(WEIGHT, columns[WEIGHT]) if WEIGHT in columns else [1.0] * len(outcomes)
    return [
        tuple(weight if flag == outcome else 0.0 for flag in flags)
        for outcome, weight in zip(outcomes, weights, strict=True)
    ]


def _scores(
    columns: Mapping[str, list[str]], flags: tuple[str, ...]
) -> dict[str, Sequence[Numbers]]:
    names = dict.fromkeys(
        name for name, colon, flag in (c.partition(":") for c in columns) if colon and flag in flags
    )
    found: dict[str, Sequence[Numbers]] = {}
    for name in names:
        if missing := [flag for flag in flags if f"{name}:{flag}" not in columns]:
            raise EvidenceError(f"the cases have no column '{name}:{missing[0]}'")
        parts = (_numbers(f"{name}:{flag}", columns[f"{name}:{flag}"]) for flag in flags)
        found[name] = list(zip(*parts, strict=True))
        _check_probabilities(name, found[name])
    return found


def _check_probabilities(name: str, scores: Sequence[Numbers]) -> None:
    """A model of larger numbers would have less loss than is possible, of smaller ones more."""
    for number, row in enumerate(scores, 2):
        exact = name in (LOW, HIGH) or abs(sum(row) - 1) <= _SLACK * len(row)
        if not exact or max(row) > 1 + _SLACK:
            raise EvidenceError(
                f"row {number} of the cases: the columns '{name}:…' hold no probabilities; each is "
                "from 0 to 1, and together they are 1"
            )


def _numbers(name: str, texts: list[str]) -> list[float]:
    try:
        numbers = [float(text) for text in texts]
    except ValueError as error:
        raise EvidenceError(f"the column {name!r} of the cases holds no number: {error}") from error
    if any(not math.isfinite(number) or number < 0 for number in numbers):
        raise EvidenceError(f"the column {name!r} of the cases holds a number below 0 or none")
    return numbers
