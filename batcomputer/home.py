"""Where a server keeps its data: models, database, spool, static files, ``.env``, ``.secret-key``.

A clone (or the image) keeps them next to its code. A server that was installed as a package keeps
them in the folder where it is started: the code's folder belongs to pip.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

CODE = Path(__file__).resolve().parent.parent  # site-packages, or a clone
SETTINGS_FILE = ".env"
KEY_FILE = ".secret-key"


def home() -> Path:
    """The folder of the server's data."""
    is_clone = all((CODE / name).is_file() for name in ("manage.py", "gunicorn.conf.py"))
    return CODE if is_clone else Path.cwd()


def environment() -> Mapping[str, str]:
    """The environment, completed by ``.env``."""
    path = home() / SETTINGS_FILE
    if not path.exists():
        return os.environ
    # scripts/run looks up its port before anything is installed
    import environ  # noqa: PLC0415

    class File(environ.Env):  # type: ignore[misc] # environ has no types
        ENVIRON: dict[str, str] = {}

    File.read_env(path)
    return File.ENVIRON | dict(os.environ)


def make_local_secret() -> None:
    """Give a local server its own secret, created once and readable only to its user."""
    path = home() / KEY_FILE
    if path.exists() and path.stat().st_size:
        return
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
