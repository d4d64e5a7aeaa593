"""The service with little patience for slow readers: ``gunicorn tests.faults.impatient``."""

from batcomputer.worker import worker
from batcomputer.wsgi import application

__all__ = ["application"]

worker.SEND_SECONDS = 0.5
