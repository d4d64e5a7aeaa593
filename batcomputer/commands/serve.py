"""``batcomputer serve``: from a folder of models to a running server."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from batcomputer.commands import companion
from batcomputer.home import CODE, home, make_local_secret
from batcomputer.port import CannotListen, address, check_address

_BANNER = """
  The Batcomputer is at   http://{host}:{port}/
  API documentation       http://{host}:{port}/api/docs
  Log of predictions      http://{host}:{port}/admin/
      first admin user:   {manage} createsuperuser
                          (or set DJANGO_SUPERUSER_USERNAME, _EMAIL and _PASSWORD)
  Stop with Ctrl+C.
"""
_GUNICORN = ("batcomputer.gunicorn_app", "-c", "python:batcomputer.gunicorn_conf")


def main(arguments: list[str]) -> NoReturn:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="batcomputer serve",
        description="Serve a folder of models: examine what is new, bring the database and the "
        "static files up to date, and start gunicorn. Settings come from the environment or .env; "
        "data is kept in the current folder, or in the clone that it runs from.",
    )
    parser.add_argument(
        "models", nargs="?", type=Path, metavar="MODELS_DIR",
        help="holds <model>/<version>/ (default: the setting MODELS_DIR, else ./models)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.models is not None:
        os.environ["MODELS_DIR"] = str(options.models.absolute())
    serve()


def serve() -> NoReturn:
    """Prepare the data, print the server's address, and become the server.

    If the server could not listen, it ends with one sentence before any work.
    """
    try:
        check_address()
        make_local_secret()
    except (CannotListen, OSError) as error:
        sys.exit(f"error: {error}")
    preparing = [str(os.getpid()), *_python("batcomputer.commands.preparation")]
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, companion.__file__, *preparing], env=_environment(), check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    if sys.stdin.isatty() and sys.stdout.isatty():
        offering = _python("batcomputer.commands.first_administrator")
        subprocess.run(offering, env=_environment(), check=False)  # noqa: S603 - our own module
    host, port = address()
    print(_BANNER.format(host=host, port=port, manage=_manage()), flush=True)
    os.execve(sys.executable, _python(*_GUNICORN, "batcomputer.wsgi"), _environment())  # noqa: S606


def _python(module: str, *arguments: str) -> list[str]:
    """The command that runs ``module``, importing nothing from the current folder."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _environment() -> dict[str, str]:
    """This process's environment, with this process's import path."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _manage() -> str:
    return ".venv/bin/python manage.py" if home() == CODE else "batcomputer manage"
