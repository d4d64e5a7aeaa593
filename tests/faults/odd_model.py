"""The service with a model that fails on demand: ``gunicorn tests.faults.odd_model``.

No pickle that the service loads does any of this, so the template from which scorers are forked
patches the estimator's calls.
"""

import sys

from batcomputer.wsgi import application
from predictor.scoring import room

__all__ = ["application"]

room.room().slowest = 1.0
room._COMMAND = [sys.executable, "-P", "-m", "tests.faults.odd_supervisor"]
