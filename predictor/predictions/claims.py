"""The ids that belong to one Idempotency-Key, and the answers on record under them."""

import hashlib
from collections.abc import Sequence
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import OperationalError

from predictor.artifacts.errors import FieldError
from predictor.artifacts.version import ModelVersion
from predictor.log.uuid7 import following, uuid7
from predictor.models import IdempotencyKey, Prediction
from predictor.predictions.predict import Answer, Shown

HEADER = "Idempotency-Key"


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
        self.errors = [FieldError(HEADER, message)]


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
        found = on_record(model, ids)
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


def on_record(model: ModelVersion, ids: Sequence[UUID]) -> dict[UUID, Answer]:
    """The answers that have a row in the log, by id."""
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
