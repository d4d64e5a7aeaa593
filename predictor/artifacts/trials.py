"""Trials of a model before it serves: all declared values, extremes, and label against label."""

from collections.abc import Iterator, Mapping, Sequence

from .contract import Contract
from .errors import ArtifactError, ImpossibleScores, ScoringError
from .inputs import Cell, Row
from .scoring import Scorer
from .trial_rows import trial_cells

_BATCH = 1_000
_MOST_NOTES = 5
_MOST_ALONE = 30  # rows without an answer to look for; a data frame for each takes time
_MOST_LABELS = 200  # labels of a feature that are compared with each other
_TOGETHER = 10  # rows whose labels are compared in one call
_EXTREMES = (-1e300, -1e9, -1.0, 1.0, 1e9, 1e300)  # for numbers without bounds


def try_rows(scorer: Scorer, contract: Contract, values: Mapping[str, Sequence[Cell]]) -> list[str]:
    """Score every label, every bound and ``values``, which the estimator knows; then extremes.

    A model may have no answer for a combination; a note records it. Raises ArtifactError for
    impossible scores, and for a failure.
    """
    rows = list(dict.fromkeys(_declared_rows(contract, scorer.trial, values)))
    notes = list(_unanswered(scorer, contract, rows))
    for value in _EXTREMES:
        row = [
            value if f.dtype == "float64" and f.kind.name == "number"
            and f.minimum is None and f.maximum is None else cell
            for f, cell in zip(contract.features, scorer.trial, strict=True)
        ]  # fmt: skip
        try:
            scorer.score([tuple(row)])
        except ImpossibleScores as error:
            raise ArtifactError(f"a trial score is impossible: {error}") from error
        except ScoringError:
            continue
    more = len(notes) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], f"and {more} more"] if more > 0 else notes


def _unanswered(scorer: Scorer, contract: Contract, rows: Sequence[Row]) -> Iterator[str]:
    """A note on each row without an answer, up to a limit; the rows are found by halving."""
    parts = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)][::-1]
    found = 0
    while parts and found < _MOST_ALONE:
        part = parts.pop()
        try:
            abstention = scorer.abstention(part)
        except ScoringError as error:
            if len(part) == 1:
                item = _item(contract, part[0])
                raise ArtifactError(f"a trial score of {item:.300} failed: {error}") from error
        else:
            if abstention is None:
                continue
            if len(part) == 1:
                found += 1
                yield f"no answer for {_item(contract, part[0]):.200}: {abstention.sentence}"
                continue
        middle = len(part) // 2
        parts += [part[middle:], part[:middle]]


def _item(contract: Contract, row: Row) -> str:
    return str(dict(zip((feature.name for feature in contract.features), row, strict=True)))


def _declared_rows(
    contract: Contract, trial: Row, values: Mapping[str, Sequence[Cell]]
) -> Iterator[Row]:
    """Rows that together hold every label, bound, category and threshold at least once."""
    axes: list[list[Cell]] = []
    for feature, cell in zip(contract.features, trial, strict=True):
        cells = [cell, *trial_cells(feature, values.get(feature.name, ()))]
        axes.append([*cells, None] if feature.missing else cells)
    for index in range(max(map(len, axes))):
        yield tuple(cells[index % len(cells)] for cells in axes)


def indifferent(scorer: Scorer, contract: Contract) -> list[str]:
    """A warning of features whose labels all get the same scores: the codes may mean nothing."""
    found = [
        feature
        for place, feature in enumerate(contract.features)
        if never_matters(scorer, place, list(dict.fromkeys((feature.labels or {}).values())))
    ]
    coded = [f.name for f in found if f.dtype not in ("object", "category")]
    others = [f.name for f in found if f.name not in coded]
    advice = 'if the model was fitted on texts, say "passed_as": "label" in metadata.json'
    return [
        f"the answer is the same for every label of {_few(names)}: {said}"
        for names, said in ((coded, advice), (others, "the model may not use it"))
        if names
    ]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NOTES} more" if len(names) > _MOST_NOTES else ""
    return ", ".join(map(repr, names[:_MOST_NOTES])) + more


def never_matters(scorer: Scorer, place: int, cells: Sequence[Cell]) -> bool:
    """Whether all cells get the same answer, in the first row and in others.

    A tree may not use the feature in the first row. Rows are compared in one call; a call without
    an answer is ignored.
    """
    cells = cells[:_MOST_LABELS]
    if len(cells) < 2 or not _same(scorer, place, cells, [scorer.trial]):
        return False
    others = scorer.more_rows()
    starts = range(0, len(others), _TOGETHER)
    answers = (_same(scorer, place, cells, others[at : at + _TOGETHER]) for at in starts)
    return False not in answers


def _same(scorer: Scorer, place: int, cells: Sequence[Cell], rows: Sequence[Row]) -> bool | None:
    """Whether each row's answer is independent of its cell in ``place``; None without an answer."""
    varied = [(*row[:place], cell, *row[place + 1 :]) for row in rows for cell in cells]
    try:
        answers = [tuple(answer) for answer in scorer.score(varied)]
    except ScoringError:
        return None
    parts = (answers[at : at + len(cells)] for at in range(0, len(answers), len(cells)))
    return all(len(set(part)) == 1 for part in parts)
