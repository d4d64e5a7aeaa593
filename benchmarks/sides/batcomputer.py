"""This project, and the limit its server sets."""

from __future__ import annotations

from benchmarks.models import ROOT
from benchmarks.sides.side import PROGRAMS, WORKERS, Place, Side
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

    def logged(self, place: Place) -> int | None:
        """Rows in the log; None when nothing is logged."""
        if self.settings.get("PREDICTION_LOG") == "off":
            return None
        script = "from predictor.models import Prediction; print(Prediction.objects.count())"
        return int(manage(self.base_environment(place), "shell", "--no-imports", "-c", script))


class Hello(_Gunicorn):
    """A WSGI application that does nothing."""

    application = "hello:application"
    config = PROGRAMS / "hello_conf.py"
    answers_scores = False
