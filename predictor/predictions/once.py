"""Idempotency-Key: a request that is sent again gets its answer again, and no second record.

A key has one row in the database with the id of the first answer, from which the other ids are
derived. The worker or replica that inserts the row decides the ids for all, and answers are
inserted by their id or not at all. So every worker answers what is in the log.

That needs the database: while it is down, requests with a key are refused (503), others are not.
"""

import hashlib
import json
from collections.abc import Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.db import InterfaceError, OperationalError

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.log import writer
from predictor.predictions.claims import HEADER, Claim, Series, on_record
from predictor.predictions.origin import Origin
from predictor.predictions.predict import ALONE, Answer, Terms, predict

MAX_KEY = 255  # characters


def claim_for(
    origin: Origin, key: str | None, model: ModelVersion, body: Any, reference: str
) -> Claim | None:
    """The claim of a key; None without a key, and without a log, which could have no duplicate.

    ``body`` is JSON, or an open file. Raises KeyReused, InvalidInput for an invalid key, and the
    errors of a database that is down.
    """
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY:
        message = f"an {HEADER} has 1 to {MAX_KEY} characters, not {len(key):,}"
        raise InvalidInput([FieldError(HEADER, message)])
    if not writer.is_kept():
        return None
    request = _digest(model.name, reference, _body_digest(body))
    return Claim(_digest(origin.caller, key), request)


def predict_once(
    model: ModelVersion,
    items: Sequence[Any],
    origin: Origin,
    claim: Series | None,
    terms: Terms = ALONE,
) -> list[Answer]:
    """Like ``predict``; with a claim, the answer is the one recorded under its ids."""
    if claim is None:
        return predict(model, items, origin, terms)
    answered = claim.answered(model, len(items))
    if answered is not None:
        return _with_rows(model, items, answered)
    answers = predict(model, items, origin, terms._replace(identify=claim.identify))
    try:  # another worker, perhaps with another version, may have been faster
        found = on_record(model, [answer.id for answer in answers])
    except (InterfaceError, OperationalError):  # then the answers are in the spool
        return answers
    return [found.get(answer.id, answer)._replace(row=answer.row) for answer in answers]


def _with_rows(
    model: ModelVersion, items: Sequence[Any], answers: Sequence[Answer]
) -> list[Answer]:
    """The answers with their rows, if the version that gave them is loaded."""
    return [
        answer._replace(row=model.encoder.encode(item))
        if answer.version == model.version
        else answer
        for item, answer in zip(items, answers, strict=True)
    ]


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _body_digest(body: Any) -> str:
    if isinstance(body, SpooledTemporaryFile):
        return _file_digest(cast("BinaryIO", body))
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _file_digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(2**18):
        digest.update(piece)
    return digest.hexdigest()
