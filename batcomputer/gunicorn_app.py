"""gunicorn as ``batcomputer serve`` starts it: ``python -m batcomputer.gunicorn_app``."""

from gunicorn.app.wsgiapp import WSGIApplication


class GunicornApp(WSGIApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's own command, run in a folder of data.

    gunicorn itself imports from the current folder first: a ``predictor.py`` or an ``email.py``
    there would hide the server's or Python's module.
    """

    def chdir(self) -> None:
        """Stay in the current folder, and import nothing from it."""


if __name__ == "__main__":
    GunicornApp("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run()
