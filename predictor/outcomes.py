"""What really happened, told later: by a program for one prediction, or as a CSV for many."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import nearest
from predictor.errors import MalformedBody, UnknownPrediction
from predictor.models import Outcome, Prediction

MAX_PROBLEMS = 50  # rows of a file that are named one by one


@dataclass
class Imported:
    """How a file of outcomes was taken."""

    told: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)  # the first MAX_PROBLEMS refused rows


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

    A row that cannot be taken is reported and holds up no other. Raises MalformedBody when the
    header has not these columns.
    """
    rows = csv.DictReader(lines)
    header = set(rows.fieldnames or [])
    if "outcome" not in header or not header & {"id", "reference"}:
        raise MalformedBody('the CSV needs a header with "outcome" and "id" or "reference"')
    imported = Imported()
    for number, row in enumerate(rows, start=2):
        try:
            tell(_identity(row), (row["outcome"] or "").strip())
        except (InvalidInput, UnknownPrediction, ValueError) as problem:
            imported.refused += 1
            if len(imported.problems) < MAX_PROBLEMS:
                imported.problems.append(f"row {number}: {problem}")
        else:
            imported.told += 1
    return imported


def _identity(row: dict[str, str | None]) -> UUID:
    text, reference = (row.get("id") or "").strip(), (row.get("reference") or "").strip()
    if text:
        try:
            return UUID(text)
        except ValueError:
            raise ValueError(f"{text[:80]!r} is not an id") from None
    if not reference:
        raise ValueError("it has neither an id nor a reference")
    ids = Prediction.objects.filter(reference=reference).values_list("id", flat=True)[:2]
    if len(ids) != 1:
        many = "several predictions; give the id" if ids else "no prediction"
        raise ValueError(f"the reference {reference[:80]!r} stands for {many}")
    return ids[0]
