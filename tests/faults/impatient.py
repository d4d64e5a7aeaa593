"""The service with little patience for slow readers: ``gunicorn tests.faults.impatient``."""

from batcomputer.worker import deadlines
from batcomputer.wsgi import application

__all__ = ["application"]

deadlines.SEND_SECONDS = 0.5
