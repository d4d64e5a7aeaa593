"""A trial: a candidate answers a share of callers; each caller always gets the same version.

The decision is a row, like an activation, and every worker follows it by the same poll.
"""

import hashlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from predictor.artifacts.contract import Contract
from predictor.artifacts.version import ModelVersion
from predictor.models import Trial

_TITLES = ("title", "description", "examples")  # keys of a schema that are for people
_LONGEST = 500  # characters of a reason, the column's length


@dataclass(frozen=True)
class Canary:
    """A running trial, with its candidate loaded."""

    version: ModelVersion
    trial: int  # id of its row
    share: float
    ends: datetime | None

    def takes(self, key: str) -> bool:
        """Whether the candidate answers the caller with this key; without a key, by chance."""
        if self.ends is not None and self.ends.timestamp() <= time.time():
            return False
        place = place_of(self.trial, key) if key else random.random()  # noqa: S311 - no secret
        return place < self.share


def place_of(trial: int, key: str) -> float:
    """A caller's place between 0 and 1: the same in every worker, different in every trial."""
    digest = hashlib.sha256(f"{trial}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def end_trial(model: str, by: str, because: str = "", version: str | None = None) -> Trial | None:
    """End the trial of a model; None when none runs, or none of this ``version``."""
    trial = Trial.running().get(model)
    if trial is None or version not in (None, trial.version):
        return None
    ended = {"ended": timezone.now(), "ended_by": by, "ended_because": because[:_LONGEST]}
    if not Trial.objects.filter(pk=trial.pk, ended=None).update(**ended):
        return None
    trial.refresh_from_db()
    return trial


def difference(active: ModelVersion, candidate: ModelVersion) -> str:
    """How another contract differs for programs; empty when it does not.

    Chance must not decide which of two contracts a caller gets.
    """
    old, new = _described(active), _described(candidate)
    differing = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    return ", ".join(differing[:10])


def _described(model: ModelVersion) -> Mapping[str, Any]:
    """All parts of the contract that matter to programs, by name."""
    contract: Contract = model.contract
    features = {
        feature.name: (
            feature.kind,
            {k: v for k, v in feature.schema().items() if k not in _TITLES},
        )
        for feature in contract.features
    }
    flags = dict.fromkeys(contract.flag_names, model.scorer.kind)
    return {**features, **flags, "details": model.support is not None}
