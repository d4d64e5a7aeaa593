"""Which workers are warm, shared by all: an old worker serves until a newer one is warm."""

import mmap


class Succession:
    """Two numbers in memory that the master shares with every worker it forks.

    A worker's age is gunicorn's number: 1 for the first worker, then one more for each.
    """

    def __init__(self) -> None:
        self._ages = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")

    def begin(self, age: int) -> None:
        """Note, in the master, that it is about to fork this worker."""
        self._ages[0] = age

    def report_warm(self, age: int) -> None:
        """Note that this worker can answer at once."""
        self._ages[1] = max(age, self._ages[1])

    def others_serve(self) -> bool:
        """Whether a worker is, or has been, warm."""
        return self._ages[1] > 0

    def is_over(self, age: int) -> bool:
        """Whether this worker may end: a newer one is warm, or there is no newer one."""
        newest, warm = self._ages[0], self._ages[1]
        return newest <= age or warm > age
