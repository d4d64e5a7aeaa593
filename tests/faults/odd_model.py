"""The service with a model that goes wrong on demand: ``gunicorn tests.faults.odd_model``.

No pickle the service would load does any of this, so the estimator's calls are bent in the
template that scorers are forked from.
"""

import sys

from batcomputer.wsgi import application
from predictor.scoring import room

__all__ = ["application"]

room.room().slowest = 1.0
room._COMMAND = [sys.executable, "-P", "-m", "tests.faults.odd_supervisor"]
