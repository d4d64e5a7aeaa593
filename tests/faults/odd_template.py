"""A template in which the hour of a case decides what goes wrong with it."""

import ctypes
import re
import time

import numpy as np

from predictor.artifacts.scoring import Scorer
from predictor.scoring import template

well = Scorer._ask_estimator


def ask(self, matrix):
    match int(np.asarray(matrix)[0][2]):
        case 20:
            raise MemoryError("no room")
        case 21:
            time.sleep(3600)
        case 22:
            return well(self, matrix) * np.nan
        case 23:
            return well(self, matrix)[:, :1]
        case 19:  # holds the interpreter's lock until the process is killed
            re.fullmatch("(a+)+b", "a" * 60)
        case 18:
            ctypes.string_at(0)
    return well(self, matrix)


if __name__ == "__main__":
    Scorer._ask_estimator = ask
    # Every row must take the long way, even if a process proved a shortcut: this one, or the
    # examination on a machine whose arithmetic happens to agree to the bit.
    Scorer._shortcut = property(lambda self: None, lambda self, way: None)
    template.main()
