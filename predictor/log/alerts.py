"""Drift alerts: by e-mail, webhook or both, depending on the settings."""

import smtplib
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http.client import HTTPException
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.core.mail import send_mail

from predictor.artifacts.figures import counted
from predictor.evidence.drift import Drift

_SECONDS = 10  # timeout of a webhook


class AlertError(Exception):
    """An alert could not be sent."""


def alert(found: Sequence[Drift]) -> None:
    """Send ``found`` to ALERT_EMAILS and ALERT_WEBHOOK. Raises AlertError."""
    lines = [
        f"{one.model} {one.version}: {one.subject} has drifted from {one.against} "
        f"(PSI {one.psi:.3f} over {counted(one.answers, 'answer')})"
        for one in found
    ]
    send("drift", lines, {"drift": [_figures(one) for one in found]})


def _figures(one: Drift) -> dict[str, object]:
    """The figures for a webhook, without the shares, which only charts need."""
    return {name: value for name, value in asdict(one).items() if name != "shares"}


def send(subject: str, lines: Sequence[str], data: Mapping[str, object]) -> None:
    """Send ``lines``, and to the webhook also ``data``.

    Tries both ways even if one fails. Raises AlertError when either failed.
    """
    problems = []
    if settings.ALERT_EMAILS:
        try:
            send_mail(f"Batcomputer: {subject}", "\n".join(lines), None, settings.ALERT_EMAILS)
        except (OSError, smtplib.SMTPException) as error:
            problems.append(f"the alert could not be sent by e-mail: {error}")
    if settings.ALERT_WEBHOOK:
        try:
            _post({"text": "\n".join(lines), **data})
        except (OSError, HTTPException) as error:  # URLError is an OSError
            host = urlsplit(settings.ALERT_WEBHOOK).hostname  # the rest of the URL may be secret
            problems.append(f"the webhook at {host} did not take the alert: {error}")
    if problems:
        raise AlertError("; ".join(problems))


def _post(body: object) -> None:
    request = urllib.request.Request(  # noqa: S310 - the settings allow http and https only
        settings.ALERT_WEBHOOK, orjson.dumps(body), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass
