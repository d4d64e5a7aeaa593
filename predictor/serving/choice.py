"""Which versions of a model may answer, best first: what a person decided, or what there is."""

from dataclasses import dataclass

from django import db
from django.conf import settings

from predictor.concurrency import SILENCE, within
from predictor.models import Activation
from predictor.registry.local import LocalRegistry
from predictor.serving import notes
from predictor.serving.errors import ModelUnavailable

UNKNOWN = -1  # in place of an Activation's id
DECISION = 1.0  # seconds for the database to answer what a worker can do without


@dataclass(frozen=True)
class VersionChoice:
    """The versions that may answer, and why it may not be the one that was asked for."""

    versions: list[str]  # best first
    newest: int = 0  # id of the newest Activation taken into account; 0: there is none
    problem: str = ""  # what is wrong with that choice
    chosen: bool = False  # by a person, who may mean an older version than was seen before
    sha256: str = ""  # that its files must have, where that is known already


def choose(registry: LocalRegistry, name: str, now: str = "") -> VersionChoice:
    """The choice for a model of which the version ``now`` answers, or nothing yet.

    Without a database that is what answered last on this machine; else, where predictions need no
    record, the highest version. Raises ModelUnavailable when neither may answer, django.db.Error or
    TimeoutError when something answers ``now`` and the database cannot be asked.
    """
    # what lies in the folder matters when a model is loaded first, and never later
    fallback = [now] if now else registry.versions(name)[::-1]
    note = None if now else notes.find(registry.root, name)
    try:
        newest, chain = within(DECISION if note else SILENCE, _decisions, name)
    except (db.Error, TimeoutError) as error:
        if now:
            raise
        return _without_database(note, fallback, error)
    if newest is None:
        return VersionChoice(fallback)
    refusal = f"{name} {newest.version} was refused: {newest.problem}" if newest.refused else ""
    return VersionChoice(chain or fallback, newest.pk, refusal, chosen=True)


def _without_database(
    note: notes.LastAnswer | None, fallback: list[str], error: Exception
) -> VersionChoice:
    problem = "the database cannot be asked which version is active"
    if note:
        why = f"{problem}, so what answered last answers"
        return VersionChoice([note.version], UNKNOWN, why, note.newest > 0, note.sha256)
    if settings.PREDICTION_LOG == "required":  # no prediction could be answered either
        raise ModelUnavailable(problem) from error
    return VersionChoice(fallback, UNKNOWN, f"{problem}, so the highest one answers")


def _decisions(name: str) -> tuple[Activation | None, list[str]]:
    """The newest decision about a model, and the versions that may answer, best first."""
    return Activation.objects.filter(model=name).first(), Activation.chain(name)[::-1]


def activated_sha256(name: str, version: str) -> str:
    """What the version's files were when it was activated; nothing while the database is down."""
    try:
        return within(DECISION, Activation.fingerprint, name, version)
    except (db.Error, TimeoutError):
        return ""
