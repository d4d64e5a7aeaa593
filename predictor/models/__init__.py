"""The tables of the database."""

from .alarms import Alarm, Retraining
from .decisions import Activation, Trial, Verdict
from .log import EarlierOutcome, IdempotencyKey, Note, Outcome, Prediction, Refusal
from .shadows import Shadow, ShadowRun
from .upkeep import DriftFigures, TrafficFigures, Upkeep

__all__ = [
    "Activation",
    "Alarm",
    "DriftFigures",
    "EarlierOutcome",
    "IdempotencyKey",
    "Note",
    "Outcome",
    "Prediction",
    "Refusal",
    "Retraining",
    "Shadow",
    "ShadowRun",
    "TrafficFigures",
    "Trial",
    "Upkeep",
    "Verdict",
]
