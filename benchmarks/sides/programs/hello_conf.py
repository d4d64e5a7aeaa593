"""The server's settings of gunicorn.conf.py, without the hooks that need the application."""

import runpy
from pathlib import Path

OURS = runpy.run_path(str(Path(__file__).resolve().parents[3] / "gunicorn.conf.py"))
globals().update(
    {
        name: value
        for name, value in OURS.items()
        if not name.startswith("_") and not callable(value) and name != "preload_app"
    }
)
