"""The progress of a request to retrain: callers read it, the trainer reports it."""

from typing import Any

from django.utils import timezone

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.inputs import nearest
from predictor.artifacts.untrusted import shown
from predictor.models import Retraining

State = Retraining.State
REPORTED = (State.RUNNING, State.DONE, State.FAILED)  # states that a trainer may report
STATES = tuple(State.values)
_OVER = (State.DONE, State.FAILED)
TEXTS = {"run": 500, "result": 500}  # characters, as in the columns


class UnknownRetraining(LookupError):
    """There is no request with that number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no retraining request {number}")


def progress_of(identity: int) -> dict[str, Any]:
    """One request as callers see it. Raises UnknownRetraining."""
    row = Retraining.objects.filter(pk=identity).first()
    if row is None:
        raise UnknownRetraining(identity)
    return {
        "id": row.pk,
        "model": row.model,
        "version": row.version,
        "sha256": row.sha256,
        "reason": row.reason,
        "state": row.state,
        "asked": row.time,
        "sent": row.sent,
        "run": row.run,
        "finished": row.finished,
        "result": row.result,
    }


def report_progress(identity: int, said: Any) -> None:
    """Record the trainer's report: ``state``, and optionally ``run`` and ``result``.

    Repeating a report changes nothing. Raises UnknownRetraining, or InvalidInput naming each wrong
    field, including ``state`` if the request has already ended in another state.
    """
    changes: dict[str, Any] = _checked(said)
    rows = Retraining.objects.filter(pk=identity)
    is_over = changes["state"] in _OVER
    # a request in doubt is not sent again after its trainer has reported
    moved = rows.exclude(state__in=_OVER).update(
        **changes, finished=timezone.now() if is_over else None
    )
    row = rows.first()
    if row is None:
        raise UnknownRetraining(identity)
    if not moved and row.state != changes["state"]:
        raise InvalidInput([FieldError("state", f"the request is over: {row.get_state_display()}")])


def _checked(said: Any) -> dict[str, str]:
    """The report, if each field is known and valid."""
    if not isinstance(said, dict):
        body = 'the body must be an object, such as {"state": "done"}'
        raise InvalidInput([FieldError("", body)])
    known = ("state", *TEXTS)
    errors = [
        FieldError(shown(name), "there is no such field", nearest(name, known))
        for name in said
        if name not in known
    ]
    if said.get("state") not in list(REPORTED):
        errors.append(FieldError("state", f"state must be one of {', '.join(REPORTED)}"))
    problems = {name: _problem(name, said[name]) for name in TEXTS if name in said}
    errors += [FieldError(name, problem) for name, problem in problems.items() if problem]
    if errors:
        raise InvalidInput(errors)
    return said


def _problem(name: str, text: Any) -> str:
    """What is wrong with one of TEXTS, or empty."""
    if not isinstance(text, str) or len(text) > TEXTS[name]:
        return f"{name} must be text of at most {TEXTS[name]} characters"
    if "\0" in text:
        return f"{name} holds a null character, which a database does not store"
    return ""
