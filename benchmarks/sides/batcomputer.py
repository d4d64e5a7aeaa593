"""This project, and the upper limit of its server."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from benchmarks.filling import fill
from benchmarks.models import MADE, ROOT
from benchmarks.sides.side import PROGRAMS, WORKERS, Place, Side
from predictor.artifacts.files import METADATA
from tests.servers import manage


class _Gunicorn(Side):
    application = ""
    config = ROOT / "gunicorn.conf.py"

    def command(self, place: Place) -> list[str]:
        return [str(self.python), "-m", "gunicorn", "-c", str(self.config), self.application]

    def environment(self, place: Place) -> dict[str, str]:
        return {
            "HOST": "127.0.0.1",
            "PORT": str(place.port),
            "WEB_CONCURRENCY": WORKERS,
            "PYTHONPATH": f"{ROOT}:{PROGRAMS}",
            "SECRET_KEY": "measurements only: no deployment may ever use this one",
            "API_KEY_REQUIRED": "false",
            "THROTTLE_RATE": "",
            "DATABASE_URL": place.database,
            "MODELS_DIR": str(place.subject.folder.parent.parent),
            "MODELS": place.subject.folder.parent.name,
            "DEFAULT_MODEL": place.subject.folder.parent.name,
            **self.settings,
        }


class Batcomputer(_Gunicorn):
    """This project as ``scripts/run`` starts it."""

    application = "batcomputer.wsgi"

    @property
    def path(self) -> str:
        return "/api/predict"

    def prepare(self, place: Place) -> None:
        manage(self.base_environment(place), "migrate", "--verbosity", "0")
        self.examine(place)

    def examine(self, place: Place) -> None:
        """Examine the version before the start: a cold start has a known verdict."""
        manage(self.base_environment(place), "verify_model", "--new")

    def logged(self, place: Place) -> int | None:
        """Rows in the log; None without a log."""
        if self.settings.get("PREDICTION_LOG") == "off":
            return None
        script = "from predictor.models import Prediction; print(Prediction.objects.count())"
        return int(manage(self.base_environment(place), "shell", "--no-imports", "-c", script))


class FullLog(Batcomputer):
    """This project with a million predictions on record."""

    ROWS = 1_000_000

    def prepare(self, place: Place) -> None:
        newest = max((ROOT / "predictor" / "migrations").glob("0*.py")).stem
        kept = MADE / f"full-log-{newest}.sqlite3"  # another release has other tables
        if not kept.exists():
            self._fill(place, kept)
        shutil.copyfile(kept, place.database.removeprefix("sqlite:///"))
        self.examine(place)

    def logged(self, place: Place) -> int | None:
        return (super().logged(place) or 0) - self.ROWS

    def _fill(self, place: Place, kept: Path) -> None:
        draft = kept.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        environment = self.base_environment(place) | {"DATABASE_URL": f"sqlite:///{draft}"}
        manage(environment, "migrate", "--verbosity", "0")
        fill(environment, self.ROWS)
        with sqlite3.connect(draft) as connection:  # no data may stay in files next to it
            connection.execute("PRAGMA journal_mode=DELETE")
        draft.rename(kept)


class ManyModels(Batcomputer):
    """This project with twenty models loaded."""

    def prepare(self, place: Place) -> None:
        models, source = self._models(place), place.subject.folder.parent.parent
        for number in range(20):
            name = place.subject.folder.parent.name + (f"-{number}" if number else "")
            shutil.copytree(place.subject.folder, models / name / "1.0.0")
        if (source / ".checked").exists():  # same files, same verdict
            shutil.copytree(source / ".checked", models / ".checked")
        super().prepare(place)

    def environment(self, place: Place) -> dict[str, str]:
        return super().environment(place) | {"MODELS_DIR": str(self._models(place)), "MODELS": ""}

    def _models(self, place: Place) -> Path:
        return place.folder / "models"


class Canary(Batcomputer):
    """This project with a candidate that answers a share of callers.

    The candidate is the same estimator, so that every answer can still be checked; requests
    without a reference are assigned one by one, the most expensive case of a trial.
    """

    MODELS = MADE / "tried"  # kept: an examination takes longer than a measurement

    def prepare(self, place: Place) -> None:
        active = place.subject.folder
        model = active.parent.name
        if not self.MODELS.exists():
            for version in (active.name, "2.0.0"):
                shutil.copytree(active, self.MODELS / model / version)
            metadata = self.MODELS / model / "2.0.0" / METADATA
            said = json.loads(metadata.read_text()) | {"title": "Candidate"}
            metadata.write_text(json.dumps(said))
        super().prepare(place)
        manage(self.base_environment(place), "activate_model", model, active.name)
        manage(self.base_environment(place), "try_model", model, "2.0.0", "--share", "5")

    def environment(self, place: Place) -> dict[str, str]:
        return super().environment(place) | {"MODELS_DIR": str(self.MODELS)}


class Granian(Batcomputer):
    """This project under a server in Rust, which has no deadlines for slow clients."""

    packages = f"granian==2.8.7 -r {ROOT / 'requirements.in'}"
    environment_name = "granian"

    def prepare(self, place: Place) -> None:
        (place.folder / "metrics").mkdir()
        super().prepare(place)

    def environment(self, place: Place) -> dict[str, str]:
        counts = {"PROMETHEUS_MULTIPROC_DIR": str(place.folder / "metrics")}
        return super().environment(place) | counts

    def command(self, place: Place) -> list[str]:
        return [
            str(self.python), "-m", "granian", "--interface", "wsgi", "--no-access-log",
            "--host", "127.0.0.1", "--port", str(place.port), "--workers", WORKERS,
            "--blocking-threads", "4", f"{self.application}:application",
        ]  # fmt: skip


class OurHello(_Gunicorn):
    """A WSGI application that does nothing, under this project's worker."""

    application = "hello:application"
    config = PROGRAMS / "hello_conf.py"
    answers_scores = False


class Hello(Side):
    """A WSGI application that does nothing, under gunicorn's unchanged gevent worker."""

    answers_scores = False

    def command(self, place: Place) -> list[str]:
        return [
            str(self.python), "-m", "gunicorn", "--worker-class", "gevent", "--workers", WORKERS,
            "--bind", f"127.0.0.1:{place.port}", "--pythonpath", str(PROGRAMS), "hello:application",
        ]  # fmt: skip
