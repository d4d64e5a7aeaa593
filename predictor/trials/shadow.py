"""Shadow: a candidate's answers to the real requests that earlier versions answered.

It replays the log, so it needs no second server, slows no request, and covers the past.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from predictor.artifacts.errors import (
    FieldError,
    InvalidInput,
    ScorerLost,
    ScoringError,
    ScoringTimeout,
)
from predictor.artifacts.inputs import Row
from predictor.artifacts.scores import answers
from predictor.artifacts.version import ModelVersion
from predictor.log.history import between
from predictor.log.privacy import hashed_fields, is_pseudonym, left_out_fields
from predictor.models import Prediction, Shadow

_CHUNK = 1_000  # rows
_LONGEST = 500  # characters of a refusal, as in the column


class ShadowError(RuntimeError):
    """The log cannot be replayed."""


def check_kept(model: ModelVersion) -> None:
    """Raise ShadowError when the log does not keep all of the version's inputs."""
    changed = left_out_fields(model.name) | hashed_fields(model.name)
    if missing := [f.name for f in model.contract.features if f.name in changed]:
        raise ShadowError(
            f"what was asked of {model.name} cannot be asked again: the log does not keep "
            f"{', '.join(missing)} as it was (LOG_LEAVES_OUT, LOG_HASHES)"
        )


def asked_since(model: str, since: datetime | None) -> QuerySet[Prediction]:
    """The logged requests of the model, from ``since`` on if given."""
    return between(Prediction.objects.filter(model=model), since)


def replay(candidate: ModelVersion, rows: QuerySet[Prediction]) -> Iterator[int]:
    """Score ``rows`` with the candidate; yields the number of new rows in each chunk.

    Every row is scored once, however often and in however many processes this runs, including rows
    that reached the log late: each run looks for the rows without an answer. Raises ShadowError if
    the log does not keep the inputs, ScoringTimeout or ScorerLost if the candidate hangs or ends.
    """
    check_kept(candidate)
    rows = rows.order_by("id")
    chunk = list(rows.values_list("id", "inputs")[:_CHUNK])
    while chunk:
        last = chunk[-1][0]
        known = Shadow.objects.filter(
            sha256=candidate.sha256, prediction_id__gte=chunk[0][0], prediction_id__lte=last
        )
        answered = set(known.values_list("prediction_id", flat=True))
        new = [row for row in chunk if row[0] not in answered]
        # a row that was pruned meanwhile must not end the replay
        Shadow.objects.bulk_create(_asked(candidate, new), ignore_conflicts=True)
        yield len(new)
        chunk = list(rows.filter(id__gt=last).values_list("id", "inputs")[:_CHUNK])


def _asked(candidate: ModelVersion, rows: Sequence[tuple[UUID, dict[str, Any]]]) -> list[Shadow]:
    """A Shadow for each of ``rows``: the candidate's answer, or why it has none."""
    shadows: dict[UUID, Shadow] = {}
    encoded: dict[UUID, Row] = {}
    for identity, inputs in rows:
        shadows[identity] = Shadow(
            prediction_id=identity,
            model=candidate.name,
            version=candidate.version,
            sha256=candidate.sha256,
        )
        try:
            encoded[identity] = encode_logged(candidate, inputs)
        except InvalidInput as error:
            shadows[identity].refused = str(error)[:_LONGEST]
    names = candidate.contract.flag_names
    for identity, scores in _scored(candidate, encoded).items():
        if isinstance(scores, str):
            shadows[identity].refused = scores[:_LONGEST]
        else:
            shadows[identity].scores = dict(zip(names, scores, strict=True))
    return list(shadows.values())


def encode_logged(candidate: ModelVersion, inputs: dict[str, Any]) -> Row:
    """The row of logged inputs. Raises InvalidInput, also if the log holds a hash of an input."""
    if any(map(is_pseudonym, inputs.values())):
        raise InvalidInput([FieldError("", "the log holds a hash of what was asked")])
    return candidate.encoder.encode(inputs)


def _scored(candidate: ModelVersion, rows: Mapping[UUID, Row]) -> dict[UUID, Sequence[float] | str]:
    """The scores of each row, or why there are none; if a chunk fails, rows are scored singly."""
    try:
        found = answers(candidate, list(rows.values()), most_silent=len(rows))
    except (ScorerLost, ScoringTimeout):
        raise
    except ScoringError:
        return {identity: _alone(candidate, row) for identity, row in rows.items()}
    return {
        identity: "the model has no answer" if scores is None else scores
        for identity, scores in zip(rows, found, strict=True)
    }


def _alone(candidate: ModelVersion, row: Row) -> Sequence[float] | str:
    try:
        return candidate.score([row])[0]
    except (ScorerLost, ScoringTimeout):
        raise
    except ScoringError as error:
        return str(error)
