"""The clock of upkeep: workers look whether something is due, and a process of its own does it.

A greenlet of a worker that was forked looks, so nothing is left behind in the master. The work is
done outside the worker, where no caller waits for it.
"""

import logging
import os
import random
import subprocess
import sys

import gevent
from django.db import Error as DatabaseFailure
from django.db import connections

from batcomputer.home import CODE
from predictor.log.upkeep import is_due

logger = logging.getLogger(__name__)

SECONDS = 60  # between two looks, on average


def keep_up() -> None:
    """Look again and again, for as long as the worker lives."""
    while True:
        # not at the same moment as the other workers, or they would begin the same work
        gevent.sleep(SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            if is_due():
                _work()
        except (DatabaseFailure, OSError) as error:
            logger.debug("upkeep waits: %s", error)
        finally:
            connections.close_all()  # this greenlet's own


def _work() -> None:
    path = os.pathsep.join([str(CODE), *filter(None, [os.environ.get("PYTHONPATH")])])
    subprocess.run(
        [sys.executable, "-P", "-m", "batcomputer.upkeep"],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.STDOUT,  # one stream of lines, the worker's own
        check=False,
    )
