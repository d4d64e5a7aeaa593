"""The process that every scorer is forked from: it has all libraries in memory and runs nothing.

OpenMP and OpenBLAS hang in a fork of a process in which they ran with threads, so no estimator is
ever called here. The supervisor starts it with standard input as the socket that orders come by.
"""

import gc
import os
import socket
import time
import traceback

from predictor.artifacts.libraries import import_scikit_learn

from . import scorer
from .protocol import receive_order


def main() -> None:
    """Fork a scorer for each order, until the supervisor ends."""
    scorer.end_with_the_supervisor()
    orders = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    import_scikit_learn()
    scorer.give_back_memory()
    gc.freeze()  # a fork's collector need not write into what it shares
    while True:
        try:
            order, files = receive_order(orders)
        except EOFError:
            return
        _fork(order, files)
        for file in files:
            os.close(file)


def _fork(order: dict[str, object], files: list[int]) -> None:
    """A grandchild, so that it is the supervisor's to watch and outlives this process."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    parent = os.getpid()
    if os.fork():
        os._exit(0)
    status = 1
    try:
        while os.getppid() == parent:  # until the supervisor has taken this process over
            time.sleep(0.001)
        scorer.run(order, files)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never run the code that forked it
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
