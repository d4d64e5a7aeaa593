"""Predictions as callers read them back from the log, with their outcomes."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from predictor.log.answered import reachable
from predictor.log.errors import UnknownPrediction
from predictor.log.history import between, referring
from predictor.log.paging import Position, Start, read_page
from predictor.log.reports import Reach
from predictor.models import EarlierOutcome, Outcome, Prediction


class Search(NamedTuple):
    """Which predictions to find, the newest first."""

    reference: str = ""
    model: str = ""
    since: datetime | None = None
    limit: int = 100
    cursor: UUID | None = None  # ids below this one


def record(identity: UUID, reach: Reach) -> dict[str, Any]:
    """One prediction, its outcome, and earlier outcomes. Raises UnknownPrediction."""
    rows = reachable(Prediction.objects.filter(id=identity), reach)
    row = rows.select_related("outcome").first()
    if row is None:
        raise UnknownPrediction(identity)
    earlier = [
        {"outcome": word.flag, "reported": word.time, "time": word.happened, "note": word.note}
        for word in EarlierOutcome.objects.filter(prediction=identity).order_by("id")
    ]
    return _shown(row) | {"earlier_outcomes": earlier}


def records(search: Search, reach: Reach) -> tuple[list[dict[str, Any]], UUID | None]:
    """A page of predictions, and the cursor of the next one."""
    found = between(Prediction.objects.all(), search.since)
    if search.reference:  # an index serves references; other searches scan part of the log
        found = found.filter(referring(search.reference))
    rows = reachable(found.filter(model=search.model) if search.model else found, reach)
    searched = None if rows is found else found
    start = Start(place=Position(search.cursor) if search.cursor else None)
    page = read_page(rows, search.limit, start, within=searched)
    return [_shown(row) for row in page.rows], page.on and page.on.id


def _shown(row: Prediction) -> dict[str, Any]:
    outcome: Outcome | None = getattr(row, "outcome", None)
    return {
        "id": row.id,
        "time": row.time,
        "model": row.model,
        "version": row.version,
        "sha256": row.sha256,
        "source": row.source,
        "reference": row.reference,
        "inputs": row.inputs,
        "scores": row.scores,
        "top_flag": row.top_flag,
        "outcome": outcome and outcome.flag,
        "outcome_reported": outcome and outcome.time,
        "outcome_time": outcome and outcome.happened,
        "outcome_note": (outcome and outcome.note) or "",
    }
