"""The rows of a CSV, and the items that they make; other columns are passed through."""

import itertools
from array import array
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from predictor.api.wanted import ID, PLAIN, Wanted
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import MAX_ERRORS, MAX_GUESSES, nearest
from predictor.artifacts.kinds import NUMBERS
from predictor.artifacts.names import first_twin
from predictor.artifacts.scores import Scores
from predictor.artifacts.untrusted import shown
from predictor.http.errors import MalformedBody
from predictor.predictions.origin import reference_text
from predictor.predictions.references import NONE, PARAMETER, References
from predictor.spreadsheets.cells import escape_formula, unescape_formula
from predictor.spreadsheets.dialect import SEPARATORS, Dialect
from predictor.spreadsheets.reading import CsvFile

_MOST_KEPT = 2**20  # scores of one file kept in memory until they are sent: 8 MB


class CsvRows:
    """The rows of one CSV file; columns the model does not know are passed through.

    Names and labels are read unchanged, and also in the escaped form that this server's own files
    use for texts that a spreadsheet would take for formulas.
    """

    def __init__(
        self, file: BinaryIO, contract: Contract, wanted: Wanted = PLAIN, *, strict: bool = True
    ) -> None:
        """Raises UnreadableCSV, and InvalidInput or MalformedBody for a header that will not do.

        ``strict``: as CsvFile has it.
        """
        names = [feature.name for feature in contract.features]
        forms = itertools.starmap(escape_formula, itertools.product(names, SEPARATORS))
        self.csv = CsvFile(file, {*names, *forms}, strict=strict)
        self.with_ids = wanted.ids
        self._width = len(self.csv.header)
        self._flags = len(contract.flags)
        self._kept: list[array[float]] = []
        self._scored = 0
        added = {*contract.flag_names, *([ID] if wanted.ids else [])}
        own = [wanted.reference] if wanted.reference else []
        columns = [_known(name, {*names, *added, *own}) for name in self.csv.header]
        _check_header(columns, contract, added, own)
        self._own = columns.index(wanted.reference) if own else -1
        dialect = self.csv.dialect
        self._cells = [
            (feature, [columns.index(name) for name in names], _reader(feature, dialect))
            for feature in contract.features
            if (names := columns_of(feature, columns))
        ]
        if self._own in self.columns_read:
            message = f"the model reads the column '{shown(wanted.reference)}'; name another one"
            raise InvalidInput([FieldError(PARAMETER, message)])

    @property
    def columns_read(self) -> set[int]:
        """Places of the columns that the model reads; the others are passed through."""
        return {place for _, places, _ in self._cells for place in places}

    def keep(self, scores: Scores) -> None:
        """Keep the scores of the next batch, as long as all together take little memory."""
        self._scored += len(scores)
        if self._scored * self._flags <= _MOST_KEPT:
            self._kept.append(array("d", itertools.chain.from_iterable(scores)))

    def kept(self) -> Iterator[Scores | None]:
        """The kept scores, batch by batch; then None for each batch to score again."""
        for values in self._kept:
            places = range(0, len(values), self._flags)
            yield [values[at : at + self._flags].tolist() for at in places]
        yield from itertools.repeat(None)

    def __iter__(self) -> Iterator[tuple[int, list[str], dict[str, Any]]]:
        """(row number as in a spreadsheet, the cells, the item they make)."""
        for number, _, cells in self.csv.rows():
            if len(cells) != self._width:
                message = f"row {number} has {len(cells)} cells, the header has {self._width}"
                raise MalformedBody(message, field=f"row {number}")
            yield number, cells, self.item(cells)

    def item(self, cells: Sequence[str]) -> dict[str, Any]:
        """The item of a row with as many cells as the header."""
        return {
            f.name: read(",".join([cells[at] for at in places])) for f, places, read in self._cells
        }

    def reference(self, cells: Sequence[str]) -> str:
        """The row's own reference. Raises InvalidInput."""
        return reference_text(cells[self._own], self.csv.header[self._own])

    def references(self, rows: Iterable[Sequence[str]]) -> References:
        """The rows' own references, already checked, or else the origin's."""
        return NONE if self._own < 0 else References([self.reference(cells) for cells in rows])

    def problems(self, cells: Sequence[str]) -> list[FieldError]:
        """The errors of the row besides those of its features."""
        try:
            if self._own >= 0:
                self.reference(cells)
        except InvalidInput as invalid:
            return invalid.errors
        return []


def columns_of(feature: Feature, header: Container[str]) -> list[str]:
    """The feature's columns: one with its name, or for a list all of ``name[0]``, ``name[1]``…."""
    if feature.name in header:
        return [feature.name]
    parts = [f"{feature.name}[{place}]" for place in range(feature.size)]
    return parts if feature.kind is NUMBERS and all(part in header for part in parts) else []


def _known(text: str, names: Collection[str]) -> str:
    """The one of ``names`` that this server's files would show as ``text``, or else ``text``."""
    plain = unescape_formula(text)
    return plain if plain in names else text


def _reader(feature: Feature, dialect: Dialect) -> Callable[[str], Any]:
    """A function from a cell's text to its JSON value."""
    labels = [label for label in feature.labels or () if label is not None]
    if any(escape_formula(label) != label for label in labels):
        return lambda text: feature.value_from_text(_known(text, labels))
    if labels or dialect.separator == ",":
        return feature.value_from_text

    def read(text: str) -> Any:
        value = feature.value_from_text(text)
        number = feature.value_from_text(dialect.with_point(text)) if value is text else value
        return value if isinstance(number, str) else number

    return read


def _check_header(
    columns: list[str], contract: Contract, added: Collection[str], own: Collection[str]
) -> None:
    """``added`` are the answer's columns, ``own`` is the reference column, if any."""
    if not columns:
        raise MalformedBody("the CSV's first row is empty; it must name the columns")
    twin, known = first_twin(columns), frozenset(columns)
    if twin is not None:
        name = shown(twin)
        raise MalformedBody(f"the column '{name}' appears twice in the header", field=name)
    if taken := known.intersection(added):
        name = shown(min(taken))
        raise MalformedBody(f"the column '{name}' would be overwritten", field=name)
    missing = [f.name for f in contract.features if not (f.missing or columns_of(f, known))]
    if missing := [*missing, *(name for name in own if name not in known)][:MAX_ERRORS]:
        raise _missing(missing, columns)


def _missing(names: list[str], columns: list[str]) -> MalformedBody | InvalidInput:
    """The error for columns that are missing from a header of ``columns``."""
    if len(columns) == 1 and "|" in columns[0]:
        words = "the columns must be separated by commas, semicolons or tabs, not '|'"
        return MalformedBody(words)
    near = [nearest(name, columns) for name in names[:MAX_GUESSES]]
    return InvalidInput(
        [
            FieldError(name, "the header has no such column", guess)
            for name, guess in itertools.zip_longest(names, near)
        ]
    )
