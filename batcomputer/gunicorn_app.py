"""gunicorn as ``batcomputer serve`` starts it: ``python -m batcomputer.gunicorn_app``."""

from gunicorn.app.wsgiapp import WSGIApplication


class GunicornApp(WSGIApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's own command, in a folder of data.

    gunicorn itself imports from the current folder first: a ``predictor.py`` that lies there, or
    an ``email.py``, would be taken for the server's or Python's own.
    """

    def chdir(self) -> None:
        """Stay here, and import nothing from here."""


if __name__ == "__main__":
    GunicornApp("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run()
