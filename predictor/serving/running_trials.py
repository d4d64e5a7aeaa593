"""The trials that a process takes part in: it loads each candidate, and drops it at the end."""

import logging
import time
from collections.abc import Collection

from predictor.artifacts.errors import ArtifactError
from predictor.concurrency import run_in_background, within
from predictor.models import Trial
from predictor.serving.canary import Canary
from predictor.serving.choice import DECISION
from predictor.serving.loading import check_unchanged
from predictor.serving.version_loader import RETRY, VersionLoader

logger = logging.getLogger(__name__)

_CANDIDATE = 5.0  # seconds that a worker waits at its start for a candidate to load


class RunningTrials:
    """Follows the trials in the database."""

    def __init__(self, loader: VersionLoader) -> None:
        self._loader = loader
        self.canaries: dict[str, Canary] = {}  # by model
        self._untried: dict[int, float] = {}  # trials with a failed load: when to retry

    def follow(self, served: Collection[str]) -> None:
        """Begin the running trials of the ``served`` models, and drop all others.

        Raises django.db.Error.
        """
        running = Trial.running()
        for name, canary in self.canaries.copy().items():
            trial = running.get(name)
            if trial is None or trial.pk != canary.trial or name not in served:
                self.canaries.pop(name, None)
                logger.info("the trial of %s %s has ended", name, canary.version.version)
        for name, trial in running.items():
            is_due = time.monotonic() >= self._untried.get(trial.pk, 0)
            if is_due and name in served and name not in self.canaries:
                self._untried[trial.pk] = time.monotonic() + RETRY  # nor loaded twice at once
                run_in_background(self._begin, trial)

    def begin(self, name: str) -> None:
        """Begin the model's trial before its first answer, so that callers keep their version.

        Raises django.db.Error or TimeoutError; polls go on with it then.
        """
        trial = within(DECISION, Trial.running).get(name)
        if trial is not None:
            self._untried[trial.pk] = time.monotonic() + _CANDIDATE  # then polls may
            within(_CANDIDATE, self._begin, trial)

    def _begin(self, trial: Trial) -> None:
        try:
            version = self._loader.load(trial.model, trial.version, chosen=True)
            check_unchanged(version, trial.sha256)
        except ArtifactError as error:
            problem = f"{trial.model} {trial.version} cannot be tried: {error}"
            self._loader.warn(trial.model, problem)
            return
        del self._untried[trial.pk]
        self.canaries[trial.model] = Canary(version, trial.pk, trial.share, trial.ends)
        logger.info("%s", trial)
