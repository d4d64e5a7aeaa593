"""Which version of which model answers now, and the switch to another without a pause."""

import logging
import math
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django import db
from django.conf import settings

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_title
from predictor.artifacts.inputs import nearest
from predictor.artifacts.version import ModelVersion
from predictor.concurrency import run_in_background
from predictor.models import Activation
from predictor.registry.local import LocalRegistry
from predictor.serving import notes
from predictor.serving.choice import UNKNOWN
from predictor.serving.errors import ModelLoading, ModelUnavailable, UnknownModel
from predictor.serving.running_trials import RunningTrials
from predictor.serving.served_models import ServedModels
from predictor.serving.version_loader import Active, VersionLoader, report
from predictor.serving.watcher import Watcher

logger = logging.getLogger(__name__)

WARM, LOADING, REFUSED = "warm", "loading", "refused"  # states of a model
PATIENCE = 5.0  # seconds that a request waits for a model that is being loaded
GLANCE = 0.25  # seconds that a list of models waits for each model


@dataclass(frozen=True)
class State:
    """Whether a model can be asked now."""

    name: str  # WARM, LOADING or REFUSED
    reason: str = ""  # why it is refused


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
        self._models = ServedModels(self.registry, names or [], default, pinned)
        self._poll = poll
        self._loader = VersionLoader(self._models)
        self._active: dict[str, Active] = {}
        self._trials = RunningTrials(self._loader)
        self.trials = self._trials.canaries  # by model; empty while there is no trial
        self._default = ""  # the default model's name, once loaded
        self._loading: dict[str, _Loading] = {}
        self._following: set[str] = set()  # models whose next version is loading
        self._notes = False  # whether to note on disk what answers: workers do, commands do not
        self._watched_in = 0  # the process that has a watcher: a fork needs its own

    def names(self) -> list[str]:
        """Names of the models that are served, the default model first."""
        return self._models.names()

    def pinned(self, name: str) -> str:
        """The version to which MODEL_VERSION pins this model, or empty."""
        return self._models.pinned(name)

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
        named = [*self._models.only, *({self._models.preferred} & set(self.names()))]
        return list(dict.fromkeys([*named, *self._active]))

    def state(self, name: str) -> State:
        """Whether the model can be asked; does not wait for a loading model."""
        if name in self._active:
            return State(WARM)
        try:
            self.active(name, 0 if name in self._loading else GLANCE)
        except ModelLoading:
            return State(LOADING)
        except (ModelUnavailable, UnknownModel) as error:
            return State(REFUSED, str(error))
        return State(WARM)

    def problem(self, name: str = "") -> str:
        """Why another version than the chosen one answers, or was last refused; else empty.

        Raises what ``active`` raises.
        """
        return self._find(name).problem

    def refresh(self) -> None:
        """Follow activations since the last poll, for the models loaded so far.

        A model whose next version has to be examined does not delay another. Raises django.db.Error
        when the database is down.
        """
        newest = Activation.newest()
        for name, now in self._active.copy().items():
            changed = newest.get(name, 0) != now.newest
            wanted = changed or time.monotonic() >= now.retry
            if wanted and name not in self._following and not self.pinned(name):
                self._following.add(name)
                run_in_background(self._follow, name, now)
        self._trials.follow([name for name in self._active.copy() if not self.pinned(name)])

    def _follow(self, name: str, now: Active) -> None:
        try:
            active = self._loader.best(name, now)
            if now.problem and active.version is not now.version:
                report(name, active.version.version, "")  # it can be served now
            self._put(active)
        finally:
            self._following.discard(name)

    def _find(self, name: str, patience: float = PATIENCE) -> Active:
        found = self._active.get(name or self._default)
        if found is None:
            found = self._begin(name, patience)
        if self._poll and self._watched_in != os.getpid():
            self._watched_in = os.getpid()
            Watcher(self.refresh, self._poll, self._unwatched).start()
        return found

    def _unwatched(self) -> None:
        self._watched_in = 0  # the next request starts a new one

    def _begin(self, name: str, patience: float) -> Active:
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
            active = self._loader.best(name)
            self._put(active)
            if active.newest != UNKNOWN and not self.pinned(name):
                with suppress(db.Error, TimeoutError):  # the watcher follows when it is back
                    self._trials.begin(name)
        except ArtifactError as error:  # MODELS has a name that no model may have
            loading.error = ModelUnavailable(str(error))
        except Exception as error:  # noqa: BLE001 - raised again in the waiting requests
            loading.error = error
        finally:
            del self._loading[name]
            loading.done.set()

    def _put(self, active: Active) -> None:
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


def _drop_broken_connections() -> None:
    """Close this thread's broken connections, except one that is in a transaction."""
    for connection in db.connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


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
