"""Progress bars for file transfers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tqdm import tqdm

from predictor.registry import Progress


@contextmanager
def transfer_bars() -> Iterator[Progress]:
    """A bar per file on stderr; nothing if stderr is not a terminal."""
    with ExitStack() as stack:
        bars: dict[str, tqdm[Any]] = {}

        def show(file: str, moved: int, total: int) -> None:
            if file not in bars:
                bar = tqdm(desc=file, total=total, unit="B", unit_scale=True, disable=None)
                bars[file] = stack.enter_context(bar)
            bars[file].update(moved - bars[file].n)

        yield show
