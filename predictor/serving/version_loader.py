"""Loads the first of a model's chosen versions that can be served; records why others cannot."""

import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from django import db

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import ModelVersion
from predictor.models import Activation
from predictor.serving.choice import VersionChoice, activated_sha256, choose
from predictor.serving.errors import ModelUnavailable
from predictor.serving.loading import check_unchanged, load_beside
from predictor.serving.served_models import ServedModels

logger = logging.getLogger(__name__)

RETRY = 30.0  # seconds until loading a failed version is tried again


@dataclass(frozen=True)
class Active:
    """The version of a model that answers."""

    version: ModelVersion
    newest: int  # as in VersionChoice
    problem: str = ""  # why another version answers than was chosen
    retry: float = math.inf  # time.monotonic() of the next attempt to load the chosen one

    def is_made_of(self, version: str, sha256: str) -> bool:
        """Whether it is this version with these files; an empty ``sha256`` allows any files."""
        return version == self.version.version and sha256 in ("", self.version.sha256)


class VersionLoader:
    """Loads versions of the served models; each refusal is logged once."""

    def __init__(self, models: ServedModels) -> None:
        self._registry = models.registry
        self._pinned = models.pinned
        self._said: dict[str, str] = {}  # the last logged refusal of each model

    def load(self, name: str, version: str, *, chosen: bool) -> ModelVersion:
        """Load a version; ``chosen``: a person named it. Raises ArtifactError."""
        loaded = load_beside(self._registry.folder(name, version), chosen=chosen)
        for warning in loaded.warnings:
            logger.warning("%s %s: %s", name, version, warning)
        return loaded

    def best(self, name: str, now: Active | None = None) -> Active:
        """The first of the model's chosen versions that can be loaded.

        If that is the one answering ``now``, it stays. Raises ModelUnavailable when there is none,
        django.db.Error when a version answers and the database is down.
        """
        choice = self._choose(name, now)
        problems, retry = list(filter(None, [choice.problem])), math.inf
        for version in choice.versions:
            expected = self._expected(name, version, choice)
            if now and now.is_made_of(version, expected):
                break
            try:
                loaded = self.load(name, version, chosen=choice.chosen)
                check_unchanged(loaded, expected)
            except ArtifactError as error:
                problems.append(self._refuse(name, version, error))
                retry = time.monotonic() + RETRY
                if now and version == now.version.version:
                    break  # its new files cannot be served: those it was loaded from can
            else:
                return Active(loaded, choice.newest, "; ".join(problems), retry)
        problem = "; ".join(problems)
        if now:  # it goes on
            return replace(now, newest=choice.newest, problem=problem, retry=retry)
        raise ModelUnavailable(problem or f"model {name} has no version in {self._registry.root}")

    def warn(self, name: str, problem: str) -> None:
        """Log a refusal once, not with every request."""
        if self._said.get(name) != problem:
            logger.warning("%s", problem)
        self._said[name] = problem

    def _choose(self, name: str, now: Active | None) -> VersionChoice:
        if pin := self._pinned(name):
            return VersionChoice([pin], chosen=True)
        try:
            return choose(self._registry, name, now.version.version if now else "")
        except ModelUnavailable as error:
            self.warn(name, f"{name} cannot answer: {error}")
            raise

    def _expected(self, name: str, version: str, choice: VersionChoice) -> str:
        """The SHA-256 that the version's files must have; empty where any may be loaded."""
        if choice.sha256 or self._pinned(name):
            return choice.sha256
        return activated_sha256(name, version)

    def _refuse(self, name: str, version: str, error: ArtifactError) -> str:
        """Log and record why the version cannot be served; returns the sentence."""
        problem = f"{name} {version} cannot be served: {error}"
        self.warn(name, problem)
        report(name, version, str(error))
        return problem


def report(name: str, version: str, problem: str) -> None:
    """Record why the chosen version cannot be served; empty: it can be served again."""
    with suppress(db.Error):  # only for admin: the log and /api/info have it too
        Activation.report(name, version, problem)
