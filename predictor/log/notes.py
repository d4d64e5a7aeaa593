"""Notes on a case ("wrong because…") by an administrator or a visitor of the console."""

from uuid import UUID

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.log.errors import UnknownPrediction
from predictor.models import Note, Prediction

MAX_CHARACTERS = 500  # per note
MAX_NOTES = 20  # per case: visitors write notes too


def add_note(identity: UUID, text: str, by: str = "") -> Note:
    """Record a note; ``by`` names an administrator and is empty for the console.

    The same note by the same person is kept once. Raises UnknownPrediction, or InvalidInput when
    the note is empty or too long, or the case has MAX_NOTES already.
    """
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not plain:
        raise _refused("the note is empty")
    if len(plain) > MAX_CHARACTERS:
        raise _refused(f"a note has at most {MAX_CHARACTERS} characters; this has {len(plain):,}")
    prediction = Prediction.objects.filter(id=identity).first()
    if prediction is None:
        raise UnknownPrediction(identity)
    notes = Note.objects.filter(prediction=prediction)
    same = notes.filter(text=plain, by=by).first()
    if same is None and notes.count() >= MAX_NOTES:
        raise _refused(f"this case has {MAX_NOTES} notes already")
    return same or notes.create(prediction=prediction, text=plain, by=by)


def _refused(message: str) -> InvalidInput:
    return InvalidInput([FieldError("note", message)])
