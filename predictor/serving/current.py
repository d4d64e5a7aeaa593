"""Which version of which model answers now, and the switch to another without a pause."""

import logging
import math
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from django import db
from django.conf import settings

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_title
from predictor.artifacts.inputs import nearest
from predictor.artifacts.version import ModelVersion
from predictor.concurrency import run_in_background, within
from predictor.models import Activation, Trial
from predictor.registry.local import LocalRegistry
from predictor.serving import notes
from predictor.serving.canary import Canary
from predictor.serving.choice import (
    DECISION,
    UNKNOWN,
    VersionChoice,
    activated_sha256,
    choose,
    read_pins,
)
from predictor.serving.errors import ModelLoading, ModelUnavailable, UnknownModel
from predictor.serving.loading import check_unchanged, load_beside
from predictor.serving.watcher import Watcher

logger = logging.getLogger(__name__)

WARM, LOADING, REFUSED = "warm", "loading", "refused"  # states of a model
RETRY = 30.0  # seconds until loading a failed version is tried again
PATIENCE = 5.0  # seconds that a request waits for a model that is being loaded
_CANDIDATE = 5.0  # seconds that a worker waits at its start for a candidate to load
GLANCE = 0.25  # seconds that a list of models waits for each model


@dataclass(frozen=True)
class _Active:
    version: ModelVersion
    newest: int  # as in VersionChoice
    problem: str = ""  # why another version answers than was chosen
    retry: float = math.inf  # time.monotonic() of the next attempt to load the chosen one

    def is_made_of(self, version: str, sha256: str) -> bool:
        """Whether it is this version with these files; an empty ``sha256`` allows any files."""
        return version == self.version.version and sha256 in ("", self.version.sha256)


@dataclass(eq=False)
class _Loading:
    """The first loading of a model, perhaps with its examination."""

    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


class Serving:
    """The models this process serves; each is loaded at its first request.

    A request takes one ModelVersion from ``active`` and uses it to its end. To switch, the new
    version is loaded while the old one answers, and then one reference is replaced.
    """

    def __init__(
        self,
        root: Path,
        names: list[str] | None = None,
        default: str = "",
        pinned: str = "",
        poll: float = 0,
    ) -> None:
        """``poll``: seconds between two polls of activations; 0: only ``refresh`` polls."""
        self.registry = LocalRegistry(root)
        self._only = names or []
        self._preferred = default
        self._pins = read_pins(pinned)
        self._poll = poll
        self._active: dict[str, _Active] = {}
        self.trials: dict[str, Canary] = {}  # running trials by model
        self._untried: dict[int, float] = {}  # trials with a failed load: when to retry
        self._default = ""  # the default model's name, once loaded
        self._loading: dict[str, _Loading] = {}
        self._following: set[str] = set()  # models whose next version is loading
        self._said: dict[str, str] = {}  # the last logged refusal of each model
        self._notes = False  # whether to note on disk what answers: workers do, commands do not
        self._watched_in = 0  # the process that has a watcher: a fork needs its own

    def names(self) -> list[str]:
        """Names of the models that are served, the default model first."""
        known = self._only or self.registry.models()
        return sorted(known, key=lambda name: (name != self._preferred, name))

    def active(self, name: str = "", patience: float = PATIENCE) -> ModelVersion:
        """The version that answers for ``name`` (empty: the default model).

        Raises UnknownModel when there is no such model, ModelUnavailable when it cannot be loaded,
        ModelLoading when that takes more than ``patience`` seconds.
        """
        return self._find(name, patience).version

    def version_for(self, model: ModelVersion, key: str) -> ModelVersion:
        """``model``, or the candidate that answers the caller with this key instead."""
        canary = self.trials.get(model.name)
        return canary.version if canary is not None and canary.takes(key) else model

    def at_hand(self) -> dict[str, ModelVersion]:
        """All models that can answer at once, the default model first; waits for no loading."""
        found, patience = {}, GLANCE
        for name in self.names():
            try:
                found[name] = self.active(name, patience)
            except ModelLoading:
                patience = 0  # wait only once
            except ModelUnavailable:
                continue
        return found

    def answering(self, name: str) -> str:
        """The version that answers, here or in another process of this machine, or empty."""
        active = self._active.get(name)
        if active is not None:
            return active.version.version
        note = notes.find(self.registry.root, name)
        return note.version if note and note.is_current() else ""

    def title(self, name: str) -> str:
        """The model's title in a list of models; does not load the model."""
        active = self._active.get(name)
        if active is not None:
            return active.version.title
        versions = self.registry.versions(name)
        try:
            return (versions and read_title(self.registry.folder(name, versions[-1]))) or name
        except ArtifactError:
            return name

    def warm(self) -> None:
        """Load the served models before the first request, in a separate thread (greenlet).

        A model that cannot be loaded answers each of its requests with the error.
        """
        self._notes = True
        for name in self.names():
            with suppress(ModelUnavailable):  # already logged
                self.active(name, math.inf)
        db.connections.close_all()  # of this thread

    def needed(self) -> list[str]:
        """The models without which this process is not ready.

        Those in MODELS or DEFAULT_MODEL, and all that have answered here.
        """
        named = [*self._only, *({self._preferred} & set(self.names()))]
        return list(dict.fromkeys([*named, *self._active]))

    def state(self, name: str) -> str:
        """``warm``, ``loading`` or ``refused``; does not wait for a loading model."""
        if name in self._active:
            return WARM
        try:
            self.active(name, 0 if name in self._loading else GLANCE)
        except ModelLoading:
            return LOADING
        except (ModelUnavailable, UnknownModel):
            return REFUSED
        return WARM

    def problem(self, name: str = "") -> str:
        """Why another version than the chosen one answers, or was last refused; else empty.

        Raises what ``active`` raises.
        """
        return self._find(name).problem

    def pinned(self, name: str) -> str:
        """The version to which MODEL_VERSION pins this model, or empty."""
        if name not in self._pins and "" in self._pins and self.names()[:1] == [name]:
            return self._pins[""]
        return self._pins.get(name, "")

    def refresh(self) -> None:
        """Follow activations since the last poll, for the models loaded so far.

        A model whose next version has to be examined does not delay another. Raises django.db.Error
        when the database is away.
        """
        newest = Activation.newest()
        for name, now in self._active.copy().items():
            changed = newest.get(name, 0) != now.newest
            wanted = changed or time.monotonic() >= now.retry
            if wanted and name not in self._following and not self.pinned(name):
                self._following.add(name)
                run_in_background(self._follow, name, now)
        self._follow_trials()

    def _follow_trials(self) -> None:
        """Begin the running trials of the models loaded so far, and drop all others."""
        running = Trial.running()
        for name, canary in self.trials.copy().items():
            trial = running.get(name)
            if trial is None or trial.pk != canary.trial or self.pinned(name):
                self.trials.pop(name, None)
                logger.info("the trial of %s %s has ended", name, canary.version.version)
        for name, trial in running.items():
            is_due = time.monotonic() >= self._untried.get(trial.pk, 0)
            if (
                name in self._active
                and name not in self.trials
                and is_due
                and not self.pinned(name)
            ):
                self._untried[trial.pk] = time.monotonic() + RETRY  # nor loaded twice at once
                run_in_background(self._try, trial)

    def _try(self, trial: Trial) -> None:
        try:
            version = self._load(trial.model, trial.version, chosen=True)
            check_unchanged(version, trial.sha256)
        except ArtifactError as error:
            self._warn(trial.model, f"{trial.model} {trial.version} cannot be tried: {error}")
            return
        del self._untried[trial.pk]
        self.trials[trial.model] = Canary(version, trial.pk, trial.share, trial.ends)
        logger.info("%s", trial)

    def _follow(self, name: str, now: _Active) -> None:
        try:
            active = self._best(name, now)
            if now.problem and active.version is not now.version:
                _report(name, active.version.version, "")  # it can be served now
            self._put(active)
        finally:
            self._following.discard(name)

    def _find(self, name: str, patience: float = PATIENCE) -> _Active:
        found = self._active.get(name or self._default)
        if found is None:
            found = self._begin(name, patience)
        if self._poll and self._watched_in != os.getpid():
            self._watched_in = os.getpid()
            Watcher(self.refresh, self._poll, self._unwatched).start()
        return found

    def _unwatched(self) -> None:
        self._watched_in = 0  # the next request starts a new one

    def _begin(self, name: str, patience: float) -> _Active:
        names = self.names()
        if not names:
            raise ModelUnavailable(
                f"no model is installed in {self.registry.root}; "
                "train one (scripts/run does) or fetch one (the command fetch_model)"
            )
        if name and name not in names:
            raise UnknownModel(name, nearest(name, names))
        wanted = name or names[0]
        if wanted not in self._active:  # the default model may have been loaded by its name
            self._wait_for(wanted, patience)
        if not name:
            self._default = wanted
        return self._active[wanted]

    def _wait_for(self, name: str, patience: float) -> None:
        """Load a model, unless another thread does. Raises ModelLoading, or what loading raised."""
        loading = self._loading.get(name)
        if loading is None:
            loading = self._loading[name] = _Loading()
            run_in_background(self._load_first, name, loading)
        if not loading.done.wait(None if patience == math.inf else patience):
            raise ModelLoading(name)
        if loading.error is not None:
            raise loading.error

    def _load_first(self, name: str, loading: _Loading) -> None:
        """Load a model for the first time; the waiting requests get the error."""
        try:
            _drop_broken_connections()
            active = self._best(name)
            self._put(active)
            if active.newest != UNKNOWN:  # else the watcher follows when the database is back
                with suppress(db.Error, TimeoutError):  # so that callers keep the version they had
                    trial = within(DECISION, Trial.running).get(name)
                    if trial is not None and not self.pinned(name):
                        self._untried[trial.pk] = time.monotonic() + _CANDIDATE  # then polls may
                        within(_CANDIDATE, self._try, trial)
        except ArtifactError as error:  # MODELS has a name that no model may have
            loading.error = ModelUnavailable(str(error))
        except Exception as error:  # noqa: BLE001 - raised again in the waiting requests
            loading.error = error
        finally:
            del self._loading[name]
            loading.done.set()

    def _put(self, active: _Active) -> None:
        """Switch: replace one reference."""
        name, version = active.version.name, active.version
        before = self._active.get(name)
        self._active[name] = active
        if not self._notes:  # a command's, or the process of upkeep's: it answers no caller
            return
        if before is None or before.version is not version:
            logger.info("%s %s answers", name, version.version)
        if active.newest != UNKNOWN:
            notes.keep(self.registry.root, name, version.version, version.sha256, active.newest)

    def _best(self, name: str, now: _Active | None = None) -> _Active:
        """The first of the model's chosen versions that can be loaded.

        If that is the one answering ``now``, it stays. Raises ModelUnavailable when there is none,
        django.db.Error when a version answers and the database is away.
        """
        choice = self._choose(name, now)
        problems, retry = list(filter(None, [choice.problem])), math.inf
        for version in choice.versions:
            expected = self._expected(name, version, choice)
            if now and now.is_made_of(version, expected):
                break
            try:
                loaded = self._load(name, version, choice.chosen)
                check_unchanged(loaded, expected)
            except ArtifactError as error:
                problems.append(self._refuse(name, version, error))
                retry = time.monotonic() + RETRY
                if now and version == now.version.version:
                    break  # its new files cannot be served: those it was loaded from can
            else:
                return _Active(loaded, choice.newest, "; ".join(problems), retry)
        problem = "; ".join(problems)
        if now:  # it goes on
            return replace(now, newest=choice.newest, problem=problem, retry=retry)
        raise ModelUnavailable(problem or f"model {name} has no version in {self.registry.root}")

    def _expected(self, name: str, version: str, choice: VersionChoice) -> str:
        """The SHA-256 that the version's files must have; empty where any may be loaded."""
        if choice.sha256 or self.pinned(name):
            return choice.sha256
        return activated_sha256(name, version)

    def _refuse(self, name: str, version: str, error: ArtifactError) -> str:
        """Log and record why the version cannot be served; returns the sentence."""
        problem = f"{name} {version} cannot be served: {error}"
        self._warn(name, problem)
        _report(name, version, str(error))
        return problem

    def _warn(self, name: str, problem: str) -> None:
        """Log a refusal once, not with every request."""
        if self._said.get(name) != problem:
            logger.warning("%s", problem)
        self._said[name] = problem

    def _choose(self, name: str, now: _Active | None) -> VersionChoice:
        if pin := self.pinned(name):
            return VersionChoice([pin], chosen=True)
        return choose(self.registry, name, now.version.version if now else "")

    def _load(self, name: str, version: str, chosen: bool) -> ModelVersion:
        loaded = load_beside(self.registry.folder(name, version), chosen=chosen)
        for warning in loaded.warnings:
            logger.warning("%s %s: %s", name, version, warning)
        return loaded


def _drop_broken_connections() -> None:
    """Close this thread's broken connections, except one that is in a transaction."""
    for connection in db.connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _report(name: str, version: str, problem: str) -> None:
    with suppress(db.Error):  # only for admin: the log and /api/info have it too
        Activation.report(name, version, problem)


@cache
def serving() -> Serving:
    """This process's models, as the settings configure them."""
    return Serving(
        Path(settings.MODELS_DIR),
        settings.MODELS,
        settings.DEFAULT_MODEL,
        settings.MODEL_VERSION,
        settings.ACTIVATION_POLL,
    )
