"""One case of the log: its inputs, answer and outcome, and its neighbours."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from predictor.admin.listing import ListedCase, cases_link, line_of
from predictor.admin.titles import case_of, contract_of, flag_title
from predictor.admin.why import why_sheet
from predictor.artifacts.errors import ArtifactError
from predictor.log import history
from predictor.log.paging import NEWEST, Position
from predictor.models import Prediction, Shadow
from predictor.serving.current import serving
from predictor.serving.version_origin import origin_of_answer

BUTTONS = 12  # most flags with a button each; more go into a list
_BESIDE = 4  # neighbours shown before and after the case
_OF_BATCH = 12
_BATCH = timedelta(seconds=2)  # the rows of an array are logged within this time


@dataclass(frozen=True)
class Score:
    """One flag of the answer."""

    flag: str
    title: str
    score: float
    share: float  # filled part of the bar

    @property
    def shown(self) -> str:
        return f"{self.score:.4g}"


@dataclass(frozen=True)
class ShadowAnswer:
    """Another version's shadow answer to the same case."""

    version: str
    flag: str  # title of its top flag; empty if it has no answer
    score: str
    refused: str


@dataclass(frozen=True)
class Beside:
    """Cases with something in common with this one, which is included."""

    title: str
    link: str  # to all of them; empty if no filter finds them
    lines: list[ListedCase]


def case_page(row: Prediction, *, explain: bool) -> dict[str, Any]:
    """The content of a case's page; ``explain`` also explains the answer with the estimator."""
    return {
        "line": line_of(row),
        "case": case_of(row),
        "console": console_link(row),
        "scores": scores_of(row),
        "buttons": BUTTONS,
        "why": why_sheet(row, wanted=explain),
        "earlier": [(one, flag_title(row.model, one.flag)) for one in row.earlier_outcomes.all()],
        "candidates": [_candidate(row.model, one) for one in row.shadows.order_by("id")],
        **_origin(row),
        "inputs_text": json.dumps(row.inputs, ensure_ascii=False),
        "scores_text": json.dumps(row.scores, ensure_ascii=False),
        "beside": [one for one in _beside(row) if len(one.lines) > 1],
        "newer": _next(NEWEST.reversed.after(Prediction.objects.all(), Position(row.id)), "id"),
        "older": _next(NEWEST.after(Prediction.objects.all(), Position(row.id)), "-id"),
    }


def scores_of(row: Prediction) -> list[Score]:
    """The flags by title, the highest score first."""
    ranked = sorted(row.scores.items(), key=lambda pair: -pair[1])
    return [
        Score(flag, flag_title(row.model, flag), score, max(0.0, min(1.0, score)))
        for flag, score in ranked
    ]


def console_link(row: Prediction) -> str:
    """The console's page of the case; empty if it cannot be shown, or pages are off."""
    hidden = "off" in (settings.PAGES, settings.CASE_PAGES) or contract_of(row.model) is None
    return "" if hidden else reverse("case", args=[row.model, row.id])


def _origin(row: Prediction) -> dict[str, Any]:
    """The origin of the files that answered, from their metadata, or why it is unknown."""
    try:
        folder = serving().registry.folder(row.model, row.version)
        return {"origin": origin_of_answer(folder, row.sha256)}
    except ArtifactError as error:
        return {"origin_problem": str(error)}


def _candidate(model: str, shadow: Shadow) -> ShadowAnswer:
    if not shadow.scores:
        return ShadowAnswer(shadow.version, "", "", shadow.refused)
    flag, score = max(shadow.scores.items(), key=lambda pair: pair[1])
    return ShadowAnswer(shadow.version, flag_title(model, flag), f"{score:.4g}", "")


def _beside(row: Prediction) -> list[Beside]:
    rows = Prediction.objects.select_related("outcome").prefetch_related("notes")
    found = []
    if row.reference:
        link = cases_link(q=row.reference)
        lines = _around(rows.filter(history.referring(row.reference)), row, _BESIDE)
        found.append(Beside(f"With the reference {row.reference}", link, lines))
    if (row.items or 1) > 1:
        at_once = rows.filter(
            model=row.model, version=row.version, items=row.items, duration=row.duration,
            source=row.source, caller=row.caller,
        )  # fmt: skip
        near = history.between(at_once, row.time - _BATCH, row.time + _BATCH)
        title = f"Answered at once, {row.items:,} in all"
        found.append(Beside(title, "", _around(near, row, _OF_BATCH)))
    if row.caller:
        link = cases_link(caller=row.caller)
        lines = _around(rows.filter(caller=row.caller), row, _BESIDE)
        found.append(Beside("By the same caller", link, lines))
    return found


def _around(rows: QuerySet[Prediction], row: Prediction, count: int) -> list[ListedCase]:
    """This row and ``count`` of ``rows`` on either side of it, the newest first."""
    place = Position(row.id)
    newer = list(NEWEST.reversed.after(rows, place).order_by("id")[:count])
    older = list(NEWEST.after(rows, place).order_by("-id")[:count])
    return [line_of(one) for one in (*newer[::-1], row, *older)]


def _next(rows: QuerySet[Prediction], order: str) -> str:
    identity = rows.order_by(order).values_list("id", flat=True).first()
    return reverse("admin:predictor_prediction_change", args=[identity]) if identity else ""
