"""Requests to retrain a model: recorded first, then sent once, then followed to their end.

A row is unique for a model, its files and a reason, so the number of requests depends on no clock.
A request in doubt (after a timeout, or a kill before the response was recorded) is sent again with
the same token, and the trainer starts one run per token.
"""

import hmac
import json
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from predictor.models import Retraining
from predictor.serving.current import serving
from predictor.trials.proof import made

PERSON = "person"  # the reason of a person's request
_SECONDS = 10  # timeout of the other side
_CLAIM = timedelta(minutes=10)  # after which the claim of a killed sender ends
_LONGEST = 500  # characters of a text, as in the columns
_MOST = 1_000_000  # bytes read of a response
_JOBS = "/jobs/run-now"  # the end of a Databricks URL

State = Retraining.State


@dataclass(frozen=True)
class Subject:
    """The model files that a request is about."""

    model: str
    version: str
    sha256: str


def ask(about: Subject, reason: str, by: str, figures: str = "") -> Retraining | None:
    """Record a request, once; None if RETRAIN_WEBHOOK or RETRAIN_ON rule it out."""
    if not settings.RETRAIN_WEBHOOK or reason not in (PERSON, *settings.RETRAIN_ON):
        return None
    request, _ = Retraining.objects.get_or_create(
        model=about.model,
        sha256=about.sha256,
        reason=reason,
        defaults={"version": about.version, "by": by, "figures": figures[:_LONGEST]},
    )
    return request


def ask_again(request: Retraining) -> None:
    """Replace a sent request with a new one, because its token is used up."""
    if request.state == State.WAITING:
        return
    with transaction.atomic():
        Retraining.objects.filter(pk=request.pk).delete()
        Retraining.objects.create(
            model=request.model,
            version=request.version,
            sha256=request.sha256,
            reason=request.reason,
            by=request.by,
            figures=request.figures,
        )


def carry_on() -> list[Retraining]:
    """Send waiting requests and follow sent ones; returns those whose state changed."""
    if not settings.RETRAIN_WEBHOOK:
        return []
    moved = [row for row in Retraining.objects.filter(state=State.WAITING) if _sent(row)]
    under_way = Retraining.objects.filter(state__in=(State.SENT, State.RUNNING))
    return moved + [row for row in under_way.order_by("id") if _followed(row)]


def requests_of(model: str, most: int = 5) -> list[Retraining]:
    """The model's last requests, the newest first."""
    return list(Retraining.objects.filter(model=model)[:most])


def _sent(request: Retraining) -> bool:
    """Send it if no other process does; whether this one did. ``result`` says if it failed."""
    now = timezone.now()
    free = Q(claimed=None) | Q(claimed__lte=now - _CLAIM)
    mine = Retraining.objects.filter(free, pk=request.pk, state=State.WAITING)
    if not mine.update(claimed=now):
        return False
    try:
        answer = _post(request)
    except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError
        request.claimed, request.result = None, _problem(error)
        request.save(update_fields=["claimed", "result"])
        return True
    request.state, request.sent, request.result = State.SENT, timezone.now(), ""
    request.run = str(answer.get("run_id") or answer.get("run") or answer.get("url") or "")
    request.run = request.run[:_LONGEST]
    request.save(update_fields=["state", "sent", "run", "result"])
    return True


def _followed(request: Retraining) -> bool:
    """Update the request; whether its state or result changed."""
    before = (request.state, request.result)
    if newer := _newer(request):
        request.state, request.result = State.DONE, f"{newer} was made"
    elif request.run and _is_job():
        try:
            _take(request, _answer(_runs(request.run), None))
        except (OSError, HTTPException, ValueError) as error:
            request.result = _problem(error)
    if (request.state, request.result) == before:
        return False
    if request.state in (State.DONE, State.FAILED):
        request.finished = timezone.now()
    request.save(update_fields=["state", "result", "run", "finished"])
    return True


def _newer(request: Retraining) -> str:
    """An installed version that was made after the request; empty if there is none."""
    for version in reversed(serving().registry.versions(request.model)):
        born = made(request.model, version)
        if born is not None and born > request.time:
            return version
    return ""


def _take(request: Retraining, run: dict[str, Any]) -> None:
    """Copy the state of a Databricks run to the request."""
    state = run.get("state")
    state = state if isinstance(state, dict) else {}
    ended = state.get("life_cycle_state") in ("TERMINATED", "INTERNAL_ERROR", "SKIPPED")
    if not ended:
        request.state, request.result = State.RUNNING, ""
        return
    success = state.get("result_state") == "SUCCESS"
    said = str(state.get("state_message") or state.get("result_state") or "it ended")
    request.state = State.DONE if success else State.FAILED
    request.result = said[:_LONGEST]


def _post(request: Retraining) -> dict[str, Any]:
    """Send the request. Its texts are plain words, because pipelines paste them into their own."""
    content: dict[str, Any] = {
        "id": request.pk,
        "token": request.token,
        "model": request.model,
        "version": request.version,
        "sha256": request.sha256,
        "reason": request.reason,
    }
    if not _is_job():
        return _answer(settings.RETRAIN_WEBHOOK, content)
    parts = urlsplit(settings.RETRAIN_WEBHOOK)
    job = parse_qs(parts.query).get("job_id", [""])[0]
    body = {"job_id": int(job), "idempotency_token": request.token}
    return _answer(urlunsplit(parts._replace(query="")), body)


def _answer(address: str, content: dict[str, Any] | None) -> dict[str, Any]:
    """The response as an object; empty if it is not one. Raises OSError, HTTPException."""
    body = None if content is None else json.dumps(content, sort_keys=True).encode()
    request = urllib.request.Request(address, body, _headers(body or b""))  # noqa: S310 - http(s)
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
        text = response.read(_MOST)
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _headers(body: bytes) -> dict[str, str]:
    """The token for Databricks; for others the signatures, the older one for Azure DevOps."""
    secret = settings.RETRAIN_SECRET
    kind = {"Content-Type": "application/json"}
    if _is_job():
        return kind | {"Authorization": f"Bearer {secret}"}
    for name, digest in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
        kind[name] = f"{digest}={hmac.new(secret.encode(), body, digest).hexdigest()}"
    return kind


def _is_job() -> bool:
    return bool(urlsplit(settings.RETRAIN_WEBHOOK).path.endswith(_JOBS))


def _runs(run: str) -> str:
    """The URL at which Databricks reports the state of a run."""
    parts = urlsplit(settings.RETRAIN_WEBHOOK)
    path = parts.path.removesuffix(_JOBS) + "/jobs/runs/get"
    return str(urlunsplit(parts._replace(path=path, query=f"run_id={int(run)}")))


def _problem(error: Exception) -> str:
    """The error in words, with only the host of the URL, since the rest may be secret."""
    host = urlsplit(settings.RETRAIN_WEBHOOK).hostname
    return f"{host} did not take it: {error}"[:_LONGEST]
