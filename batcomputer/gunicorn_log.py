"""gunicorn's lines in the server's log stream, of the master and the workers."""

import logging.config
from typing import Any

from gunicorn.glogging import Logger

from batcomputer.home import environment
from predictor.artifacts.setting import TRUE
from predictor.monitoring import log_lines


def for_machines() -> bool:
    """Whether lines are JSON: in a deployment, which has its own SECRET_KEY."""
    settings = environment()
    debug = settings.get("DEBUG", "").strip().lower() in TRUE
    return bool(settings.get("SECRET_KEY")) and not debug


class LogLines(Logger):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's logger, whose lines go to the server's handler instead of the console."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        machines = for_machines()
        logging.config.dictConfig(log_lines.lines(machines=machines, stream="stdout"))
        if machines:
            log_lines.log_what_python_prints()

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        log.propagate = output in (None, "-")
        if not log.propagate:
            super()._set_handler(log, output, fmt, stream)
