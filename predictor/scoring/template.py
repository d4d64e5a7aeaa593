"""The process from which every scorer is forked: it has all libraries in memory, and runs nothing.

OpenMP and OpenBLAS hang in a fork if they ran with threads before, so no estimator is ever called
here. The supervisor starts it, and sends orders through the socket on standard input.
"""

import gc
import os
import socket
import time
import traceback

from predictor.artifacts.libraries import import_scikit_learn

from . import scorer
from .process import end_with_the_supervisor, give_back_memory
from .protocol import receive_order


def main() -> None:
    """Fork a scorer for each order, until the supervisor ends."""
    end_with_the_supervisor()
    orders = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    import_scikit_learn()
    give_back_memory()
    gc.freeze()  # so that a fork's garbage collector does not write to shared memory
    while True:
        try:
            order, files = receive_order(orders)
        except EOFError:
            return
        _fork(order, files)
        for file in files:
            os.close(file)


def _fork(order: dict[str, object], files: list[int]) -> None:
    """Fork a grandchild, so that it becomes the supervisor's child and outlives this process."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    parent = os.getpid()
    if os.fork():
        os._exit(0)
    status = 1
    try:
        while os.getppid() == parent:  # until this process is the supervisor's child
            time.sleep(0.001)
        scorer.run(order, files)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never run the code that forked it
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
