"""The service with a model that goes wrong when it is told to: ``gunicorn tests.faults.odd_model``.

No pickle the service would load does any of this, so the estimator's calls are bent here.
"""

import re
import time

import numpy as np

from batcomputer.wsgi import application
from predictor.artifacts.scoring import Scorer
from predictor.serving.timelimit import time_limit

__all__ = ["application"]

well = Scorer._ask_estimator


def ask(self, matrix):
    """The hour of the case says what goes wrong."""
    match int(np.asarray(matrix)[0][2]):
        case 20:
            raise MemoryError("no room")
        case 21:
            time.sleep(3600)
        case 22:
            return well(self, matrix) * np.nan
        case 23:
            return well(self, matrix)[:, :1]
        case 19:  # holds the interpreter's lock until the worker is killed
            re.fullmatch("(a+)+b", "a" * 60)
    return well(self, matrix)


Scorer._ask_estimator = ask
# Every row is to go the long way, whoever proved a shorter one: this process, or the examination
# on a machine whose arithmetic happens to agree to the bit.
Scorer._shortcut = property(lambda self: None, lambda self, way: None)
time_limit.seconds = 1.0
