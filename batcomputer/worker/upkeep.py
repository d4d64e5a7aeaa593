"""The clock of upkeep: workers check whether something is due, and a separate process does it.

A greenlet in each forked worker checks, so nothing remains in the master. The work is done outside
the worker, where it delays no request.
"""

import fcntl
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
from predictor.scoring.room import JOINED, room

logger = logging.getLogger(__name__)

SECONDS = 60  # between two checks, on average


def keep_up() -> None:
    """Check repeatedly while the worker lives."""
    while True:
        # not at the same moment as the other workers, or they would begin the same work
        gevent.sleep(SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            if is_due():
                do_what_is_due()
        except (DatabaseFailure, OSError) as error:
            logger.debug("upkeep waits: %s", error)
        finally:
            connections.close_all()  # of this greenlet


def do_what_is_due() -> None:
    """Start the process that does it, and wait for its end; one at a time on this server.

    It scores in the workers' room, so no model is loaded again.
    """
    folder = room().folder
    path = os.pathsep.join([str(CODE), *filter(None, [os.environ.get("PYTHONPATH")])])
    with (folder / "upkeep").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # a process of another worker is running
            return
        done = subprocess.run(
            [sys.executable, "-P", "-m", "batcomputer.upkeep"],
            env={**os.environ, "PYTHONPATH": path, JOINED: str(folder)},
            stderr=subprocess.STDOUT,  # one stream with the worker's lines
            pass_fds=[lock.fileno()],  # it keeps the lock if this worker ends first
            check=False,
        )
    if done.returncode:
        logger.warning("the upkeep process ended with status %d", done.returncode)
