"""A worker that has the master's signal handlers for a second: --worker-class of gunicorn."""

import sys
import time

from batcomputer.worker import Worker


class SlowToFork(Worker):
    """Between its fork and its own signal handlers it needs a second, as on a busy machine."""

    def init_process(self) -> None:
        print("this worker has no signal handlers yet", file=sys.stderr, flush=True)
        time.sleep(1)
        super().init_process()
