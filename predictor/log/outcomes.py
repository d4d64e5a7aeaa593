"""What really happened, told later: by a program for one prediction, or as a CSV for many."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.db import transaction

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import nearest
from predictor.artifacts.untrusted import shown
from predictor.log.errors import UnknownPrediction
from predictor.models import Outcome, Prediction
from predictor.spreadsheets.cells import unescape_formula
from predictor.spreadsheets.reading import CsvFile, UnreadableCSV

MAX_PROBLEMS = 50  # rows of a file that are named one by one
_COLUMNS = ("id", "reference", "outcome")
_BATCH = 400  # rows in one transaction: short, so that predictions never wait long

_Cells = dict[str, str]


@dataclass
class Imported:
    """How a file of outcomes was taken."""

    told: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)  # the first MAX_PROBLEMS refused rows

    def refuse(self, problem: str) -> None:
        """Count a row that was not taken, and say why."""
        self.refused += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def tell(identity: UUID, flag: str) -> Prediction:
    """Put on record that ``flag`` came true; told again, the last word counts.

    Raises UnknownPrediction, or InvalidInput when the prediction has no such flag.
    """
    prediction = Prediction.objects.filter(id=identity).first()
    if prediction is None:
        raise UnknownPrediction(identity)
    _record(prediction, flag)
    return prediction


def _record(prediction: Prediction, flag: str) -> None:
    _check_flag(prediction, flag)
    Outcome.objects.update_or_create(
        prediction=prediction,
        defaults={"flag": flag, "model": prediction.model, "version": prediction.version},
    )


def _check_flag(prediction: Prediction, flag: str) -> None:
    """Raises InvalidInput when the prediction has no such flag."""
    if flag not in prediction.scores:
        near = nearest(flag, list(prediction.scores))
        ask = f'; did you mean "{near}"?' if near else ""
        message = f"'{shown(flag)}' is not a flag of this prediction{ask}"
        raise InvalidInput([FieldError("outcome", message, near)])


def import_csv(file: BinaryIO) -> Imported:
    """Tell all outcomes of a CSV with the columns ``id`` or ``reference``, and ``outcome``.

    A row that cannot be taken is reported and holds up no other. Raises UnreadableCSV, also when
    the header has not these columns.
    """
    rows = CsvFile(file, _COLUMNS, strict=False)
    _check_header(rows.header)
    imported = Imported()
    remaining = _read(rows, imported)
    while batch := list(islice(remaining, _BATCH)):
        with transaction.atomic():  # one flush of the disk for all of them
            _take(batch, imported)
    return imported


def _check_header(header: list[str]) -> None:
    if "outcome" not in header or not {"id", "reference"}.intersection(header):
        raise UnreadableCSV('the CSV needs a header with "outcome" and "id" or "reference"')
    if twins := [name for name in _COLUMNS if header.count(name) > 1]:
        raise UnreadableCSV(f"the column '{twins[0]}' appears twice in the header")


def _read(rows: CsvFile, imported: Imported) -> Iterator[tuple[int, _Cells]]:
    """The rows with the line each ends at; where the file breaks off, that is a problem, too."""
    try:
        for _, line, cells in rows.rows():
            yield line, dict(zip(rows.header, cells, strict=False))
    except UnreadableCSV as error:
        imported.refuse(f"{error}; what follows was not read")


def _take(batch: list[tuple[int, _Cells]], imported: Imported) -> None:
    """Tell the outcomes of some rows, with a few statements for all of them."""
    found = _Found([cells for _, cells in batch])
    taken: dict[UUID, Outcome] = {}
    for line, row in batch:
        try:
            prediction = found.prediction(row)
            outcome = row.get("outcome", "").strip()
            plain = unescape_formula(outcome)
            flag = plain if plain in prediction.scores else outcome
            _check_flag(prediction, flag)
        except (InvalidInput, UnknownPrediction, ValueError) as problem:
            imported.refuse(f"line {line}: {problem}")
        else:
            taken[prediction.pk] = Outcome(
                prediction=prediction, flag=flag, model=prediction.model, version=prediction.version
            )
            imported.told += 1
    Outcome.objects.bulk_create(
        taken.values(),
        update_conflicts=True,
        unique_fields=["prediction"],
        update_fields=["flag", "model", "version", "time"],
    )


class _Found:
    """The predictions that some rows are about, looked up together."""

    def __init__(self, rows: list[_Cells]) -> None:
        identities = [identity for row in rows if (identity := _identity(row))]
        self._by_id = Prediction.objects.in_bulk(identities)
        references = {form for row in rows for form in _forms(_reference(row))}
        self._by_reference: dict[str, list[Prediction]] = {}
        most = 4 * len(references) + 1
        found = list(Prediction.objects.filter(reference__in=references).order_by()[:most])
        self._is_whole = len(found) < most
        for prediction in found:
            self._by_reference.setdefault(prediction.reference, []).append(prediction)

    def prediction(self, row: _Cells) -> Prediction:
        """The one that a row is about. Raises UnknownPrediction, ValueError."""
        if text := row.get("id", "").strip():
            identity = _identity(row)
            if identity is None:
                raise ValueError(f"'{shown(text)}' is not an id")
            if identity not in self._by_id:
                raise UnknownPrediction(identity)
            return self._by_id[identity]
        reference = _reference(row)
        if not reference:
            raise ValueError("it has neither an id nor a reference")
        for form in _forms(reference):
            several = self._of_reference(form)
            if len(several) == 1:
                return several[0]
            if several:
                raise ValueError(
                    f"the reference '{shown(reference)}' stands for several predictions; "
                    "give the id"
                )
        if not reference.isprintable():
            raise ValueError(f"'{shown(reference)}' is no reference")
        raise ValueError(f"the reference '{shown(reference)}' stands for no prediction")

    def _of_reference(self, form: str) -> list[Prediction]:
        """Two at most are of interest; some references may stand for very many."""
        if self._is_whole:
            return self._by_reference.get(form, [])
        return list(Prediction.objects.filter(reference=form)[:2])


def _identity(row: _Cells) -> UUID | None:
    try:
        return UUID(row.get("id", "").strip())
    except ValueError:
        return None


def _reference(row: _Cells) -> str:
    return "" if row.get("id", "").strip() else row.get("reference", "").strip()


def _forms(reference: str) -> list[str]:
    """A reference as an export of the log shows it, else as it stands.

    None where it is not printable, as none on record is; PostgreSQL would not even look.
    """
    if not reference or not reference.isprintable():
        return []
    return list(dict.fromkeys([unescape_formula(reference), reference]))
