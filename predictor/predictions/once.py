"""Idempotency-Key: a request that is sent again gets its answer again, and no second record.

A key has one row in the database with the id of the first answer, from which the other ids are
derived. The worker or replica that inserts the row decides the ids for all, and answers are
inserted by their id or not at all. So every worker answers what is in the log.

That needs the database: while it is away, requests with a key are refused (503), others are not.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.log import writer
from predictor.log.uuid7 import following, uuid7
from predictor.models import IdempotencyKey, Prediction
from predictor.predictions.origin import Origin
from predictor.predictions.predict import ALONE, Answer, Shown, Terms, predict

MAX_KEY = 255  # characters
_HEADER = "Idempotency-Key"


class KeyReused(Exception):
    """The caller has used this key for another request."""

    title = "The key was used before"

    def __init__(
        self,
        message: str = (
            "this key was sent with another request before; a new request needs a new key"
        ),
    ) -> None:
        super().__init__(message)
        self.errors = [FieldError(_HEADER, message)]


class Series:
    """Ids derived from the first, and the answers recorded under them."""

    def __init__(self, first: UUID | None) -> None:
        self._first = first
        self._place = 0  # index of the next answer

    def identify(self, count: int) -> list[UUID]:
        """The ids of the next ``count`` answers."""
        if self._first is None:
            self._first = self._begin()
        ids = self._following(self._first, count)
        self._place += count
        return ids

    def _begin(self) -> UUID:
        return uuid7()

    def answered(self, model: ModelVersion, count: int) -> list[Answer] | None:
        """The next ``count`` answers if all are on record; the series then moves past them."""
        if self._first is None:
            return None
        ids = self._following(self._first, count)
        found = _on_record(model, ids)
        if len(found) < count:
            return None
        self._place += count
        return [found[identity] for identity in ids]

    def _following(self, first: UUID, count: int) -> list[UUID]:
        places = range(self._place, self._place + count)
        return [following(first, place, _secret()) for place in places]


class Claim(Series):
    """The series of one key of one caller."""

    def __init__(self, digest: str, request: str) -> None:
        """``request`` is the fingerprint of the request. Raises KeyReused."""
        self._digest, self._request = digest, request
        self._ended_with = ""  # the version without which no answer can be added
        super().__init__(self._found())

    def began_with(self) -> tuple[str, str, Sequence[str]] | None:
        """Version, sha256 and flags of the first answer; None where there is none yet."""
        row = Prediction.objects.filter(pk=self._first).first() if self._first else None
        return (row.version, row.sha256, [*row.scores]) if row else None

    def end(self, version: str) -> None:
        """Add no answer: only ``version`` could, which is gone."""
        self._ended_with = version

    @property
    def is_ended(self) -> bool:
        """Whether what is on record is all that can be answered."""
        return bool(self._ended_with)

    def answered(self, model: ModelVersion, count: int) -> list[Answer] | None:
        """As of any series. Raises KeyReused where it is ended before them."""
        found = super().answered(model, count)
        if found is None and self._ended_with:
            raise KeyReused(
                f"{self._ended_with} began the answer to this key and is gone, before all of it "
                "was on record; send the request with a new key"
            )
        return found

    def _begin(self) -> UUID:
        """Raises KeyReused."""
        row = IdempotencyKey(digest=self._digest, request=self._request, first=uuid7())
        IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
        first = self._found()
        if first is None:  # pruned just now
            raise OperationalError("the key's row is gone")
        return first

    def _found(self) -> UUID | None:
        row = IdempotencyKey.objects.filter(pk=self._digest).first()
        if row is not None and row.request != self._request:
            raise KeyReused
        return row.first if row else None


def claim_for(
    origin: Origin, key: str | None, model: ModelVersion, body: Any, reference: str
) -> Claim | None:
    """The claim of a key; None without a key, and without a log, which could have no duplicate.

    ``body`` is JSON, or an open file. Raises KeyReused, InvalidInput for an invalid key, and the
    errors of a database that is away.
    """
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY:
        message = f"an {_HEADER} has 1 to {MAX_KEY} characters, not {len(key):,}"
        raise InvalidInput([FieldError(_HEADER, message)])
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
        found = _on_record(model, [answer.id for answer in answers])
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


def _on_record(model: ModelVersion, ids: Sequence[UUID]) -> dict[UUID, Answer]:
    rows = Prediction.objects.only("version", "scores", "top_flag").in_bulk(ids)
    names = model.contract.flag_names
    return {
        identity: Answer(identity, _shown(row, names), (), row.version)
        for identity, row in rows.items()
    }


def _shown(row: Prediction, names: Sequence[str]) -> Shown:
    scores = _in_order(row.scores, names)
    return Shown.of(scores, row.top_flag)


def _in_order(scores: dict[str, float], names: Sequence[str]) -> dict[str, float]:
    """The scores as they were sent: PostgreSQL sorts the keys, and reads 1e22 as an integer."""
    order = names if scores.keys() == set(names) else scores
    return {name: float(scores[name]) for name in order}


@cache
def _secret() -> bytes:
    """This deployment's secret, of the length that following() takes."""
    return hashlib.sha256(settings.SECRET_KEY.encode()).digest()


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
