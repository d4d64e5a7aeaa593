"""How a candidate did in a replay of the log, and what recorded outcomes prove."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import ArtifactError
from predictor.evidence.accuracy import are_probabilities
from predictor.evidence.promises import Promise, Promises
from predictor.evidence.sequences import PairedLosses, loss
from predictor.log.uuid7 import first_at, time_of
from predictor.models import Outcome, Shadow
from predictor.serving.current import serving
from predictor.serving.version_origin import created

_CHUNK = 1_000  # rows
_SAME = 1e-9  # a batch and a single row may round differently, in the 14th digit

Scores = dict[str, float]


@dataclass
class Replayed:
    """A candidate compared with one version's logged answers, over the replayed rows."""

    version: str
    sha256: str
    asked: int = 0
    refused: int = 0  # rows without an answer from the candidate
    refusals: dict[str, int] = field(default_factory=dict)  # by reason
    same: int = 0
    other_top: int = 0
    changes: float = 0.0  # sum over rows of the mean change of the shared flags
    largest: float = 0.0
    evidence: int = 0  # rows answered after both versions were made
    known: int = 0  # rows with an outcome to which both gave a probability
    loss: float = 0.0  # sum of the log losses of the version that answered, over ``known``
    candidate_loss: float = 0.0

    @property
    def answered(self) -> int:
        return self.asked - self.refused

    @property
    def mean(self) -> float:
        """Mean change of a score."""
        return self.changes / self.answered if self.answered else 0.0


def replayed(model: str, version: str, sha256: str, since: datetime | None) -> list[Replayed]:
    """The results of the replay, for each version that had answered."""
    made_at: dict[str, datetime | None] = {}
    candidate_made = made(model, version)
    found: dict[str, Replayed] = {}
    for identity, answered, files, top, old, new, refused, truth in _rows(model, sha256, since):
        report = found.setdefault(files, Replayed(answered, files))
        if answered not in made_at:
            made_at[answered] = made(model, answered)
        _count(report, top, old, new, refused)
        start = _later(candidate_made, made_at[answered])
        report.evidence += start is not None and time_of(identity) >= start
        if truth and new and _comparable(old, new, truth):
            report.known += 1
            report.loss += loss(old, truth)
            report.candidate_loss += loss(new, truth)
    return sorted(found.values(), key=lambda one: -one.asked)


def paired_losses(
    model: str, new: tuple[str, str], old: tuple[str, str], since: datetime | None = None
) -> PairedLosses:
    """The losses of two versions, each a (name, fingerprint), on the outcomes recorded since then.

    Only answers given after both were made count: a version may be trained on an earlier case.
    Empty if it is unknown when a version was made.
    """
    losses = PairedLosses()
    start = _later(made(model, new[0]), made(model, old[0]))
    if start is None:
        return losses
    start = max(start, since) if since else start
    asked_new = _pairs(model, answered=old[1], replayed=new[1], start=start)
    asked_old = _pairs(model, answered=new[1], replayed=old[1], start=start)
    in_order = heapq.merge(
        ((when, pk, shadow, logged, truth) for when, pk, logged, shadow, truth in asked_new),
        ((when, pk, logged, shadow, truth) for when, pk, logged, shadow, truth in asked_old),
        key=lambda row: row[:2],
    )
    for _, _, of_new, of_old, truth in in_order:
        if _comparable(of_old, of_new, truth):
            losses.add(of_new, of_old, truth)
    return losses


def promises_of(
    model: str, contract: Contract, sha256: str, since: datetime | None = None
) -> list[Promise]:
    """Whether the version's probabilities come true, over all outcomes and for each label."""
    labels = {feature.name: list(feature.labels or ()) for feature in contract.features}
    promises = Promises(contract.flag_names, labels)
    rows = Outcome.objects.filter(model=model, prediction__sha256=sha256)
    if since is not None:
        rows = rows.filter(prediction_id__gte=first_at(since))
    known = rows.order_by("time", "prediction_id")
    fields = ("prediction__inputs", "prediction__scores", "flag")
    for inputs, scores, truth in known.values_list(*fields).iterator(_CHUNK):
        promises.add(inputs, scores, truth)
    return promises.found()


def made(model: str, version: str) -> datetime | None:
    """When the version was made, from its metadata; None if unknown."""
    try:
        metadata = serving().registry.metadata(model, version)
    except ArtifactError:
        return None
    return created(metadata)


def _rows(model: str, sha256: str, since: datetime | None) -> Iterator[tuple[Any, ...]]:
    rows = Shadow.objects.filter(model=model, sha256=sha256)
    if since is not None:
        rows = rows.filter(prediction_id__gte=first_at(since))
    fields = (
        "prediction_id", "prediction__version", "prediction__sha256", "prediction__top_flag",
        "prediction__scores", "scores", "refused", "prediction__outcome__flag",
    )  # fmt: skip
    rows = rows.filter(prediction__id__isnull=False).order_by("prediction_id")
    return rows.values_list(*fields).iterator(_CHUNK)


def _pairs(model: str, answered: str, replayed: str, start: datetime) -> Iterator[tuple[Any, ...]]:
    """(time of the outcome, id, scores logged, scores replayed, truth), by time of the outcome."""
    rows: QuerySet[Shadow] = Shadow.objects.filter(
        model=model,
        sha256=replayed,
        scores__isnull=False,
        prediction_id__gte=first_at(start),
        prediction__sha256=answered,
        prediction__outcome__isnull=False,
    )
    known = rows.annotate(known=F("prediction__outcome__time")).order_by("known", "prediction_id")
    fields = ("known", "prediction_id", "prediction__scores", "scores", "prediction__outcome__flag")
    return known.values_list(*fields).iterator(_CHUNK)


def _count(report: Replayed, top: str, old: Scores, new: Scores | None, refused: str) -> None:
    report.asked += 1
    if new is None:
        report.refused += 1
        report.refusals[refused] = report.refusals.get(refused, 0) + 1
        return
    report.other_top += max(new, key=new.__getitem__) != top
    changes = [abs(new[flag] - old[flag]) for flag in old if flag in new]
    largest = max(changes, default=0.0)
    report.same += largest <= _SAME and len(changes) == len(old)
    report.changes += sum(changes) / len(changes) if changes else 0.0
    report.largest = max(report.largest, largest)


def _comparable(old: Scores, new: Scores, truth: str) -> bool:
    """Whether both versions gave the outcome a probability."""
    return truth in old and truth in new and are_probabilities(old) and are_probabilities(new)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else None
