"""What really happened, told later: by a program for one prediction, or as a CSV for many."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from uuid import UUID

from django.db import transaction

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import nearest
from predictor.errors import MalformedBody, UnknownPrediction
from predictor.models import Outcome, Prediction

MAX_PROBLEMS = 50  # rows of a file that are named one by one
_BATCH = 100  # rows in one transaction: short, so that predictions never wait long

_Cells = dict[str, str | None]


@dataclass
class Imported:
    """How a file of outcomes was taken."""

    told: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)  # the first MAX_PROBLEMS refused rows

    def refuse(self, line: int, problem: str) -> None:
        """Count a row that was not taken, and name it by the last line of the file it stands on."""
        self.refused += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"line {line}: {problem}")


def tell(identity: UUID, flag: str) -> Prediction:
    """Put on record that ``flag`` came true; told again, the last word counts.

    Raises UnknownPrediction, or InvalidInput when the prediction has no such flag.
    """
    prediction = Prediction.objects.filter(id=identity).first()
    if prediction is None:
        raise UnknownPrediction(identity)
    if flag not in prediction.scores:
        near = nearest(flag, list(prediction.scores))
        ask = f'; did you mean "{near}"?' if near else ""
        message = f"{flag[:80]!r} is not a flag of this prediction{ask}"
        raise InvalidInput([FieldError("outcome", message, near)])
    Outcome.objects.update_or_create(
        prediction=prediction,
        defaults={"flag": flag, "model": prediction.model, "version": prediction.version},
    )
    return prediction


def import_csv(lines: Iterable[str]) -> Imported:
    """Tell all outcomes of a CSV with the columns ``id`` or ``reference``, and ``outcome``.

    Columns are parted by commas, or by semicolons, as some spreadsheets write them. A row that
    cannot be taken is reported and holds up no other. Raises MalformedBody when the header has
    not these columns.
    """
    remaining = iter(lines)
    first = next(remaining, "")
    rows = csv.DictReader(chain([first], remaining), delimiter=";" if ";" in first else ",")
    imported = Imported()
    while batch := list(islice(_read(rows, imported), _BATCH)):
        with transaction.atomic():  # one flush of the disk for all of them
            for number, row in batch:
                _take(number, row, imported)
    return imported


def _read(rows: "csv.DictReader[str]", imported: Imported) -> Iterator[tuple[int, _Cells]]:
    """The rows with their numbers; where the file breaks off, that is a problem like others."""
    try:
        header = set(rows.fieldnames or [])
        if "outcome" not in header or not header & {"id", "reference"}:
            raise MalformedBody('the CSV needs a header with "outcome" and "id" or "reference"')
        for row in rows:
            yield rows.line_num, row
    except csv.Error as error:
        imported.refuse(rows.line_num + 1, f"{error}; what follows was not read")


def _take(number: int, row: _Cells, imported: Imported) -> None:
    try:
        tell(_identity(row), (row["outcome"] or "").strip())
    except (InvalidInput, UnknownPrediction, ValueError) as problem:
        imported.refuse(number, str(problem))
    else:
        imported.told += 1


def _identity(row: _Cells) -> UUID:
    text, reference = (row.get("id") or "").strip(), (row.get("reference") or "").strip()
    if text:
        try:
            return UUID(text)
        except ValueError:
            raise ValueError(f"{text[:80]!r} is not an id") from None
    if not reference:
        raise ValueError("it has neither an id nor a reference")
    if not reference.isprintable():  # as none on record is; PostgreSQL would not even look
        raise ValueError(f"{reference[:80]!r} is no reference")
    ids = Prediction.objects.filter(reference=reference).values_list("id", flat=True)[:2]
    if len(ids) != 1:
        many = "several predictions; give the id" if ids else "no prediction"
        raise ValueError(f"the reference {reference[:80]!r} stands for {many}")
    return ids[0]
