"""``python -m training.benchmark``: how counting scales with the number of crimes.

Writes street-level files of 1, 2 and 4 times as many crimes (made from the committed figures: real
forces, crimes and outcomes, one made-up place), counts each with ``training.aggregate`` in a
separate process, and prints rows per second and the most memory of that process.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from .crime import FIGURES
from .figures import Figures, read_figures
from .street import HEADER
from .usage import command_line

SIZES = (1, 2, 4)
CRIME_ID = "0" * 64
# the kernel's high-water mark ("VmHWM: 51656 kB"); the one of wait4 would include the parent
_CHILD = """
import sys
from training.aggregate import main
main(sys.argv[1:])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@dataclass(frozen=True)
class Run:
    """One measurement."""

    times: int
    rows: int
    seconds: float
    rows_per_second: int
    megabytes: int  # the most memory the process had


def measure(rows: int) -> list[Run]:
    """Count 1, 2 and 4 times ``rows`` crimes."""
    figures = read_figures(FIGURES)
    with tempfile.TemporaryDirectory() as folder:
        return [
            _count(times, _write(Path(folder, str(times)), figures, times * rows))
            for times in tqdm(SIZES, desc="counting", unit="run")
        ]


def as_markdown(runs: list[Run]) -> str:
    """A table: time grows with the crimes, memory does not."""
    lines = ["| crimes counted | s | rows/s | memory MB |", "|--:|--:|--:|--:|"]
    lines += [
        f"| {run.rows:,} | {run.seconds:.1f} | {run.rows_per_second:,} | {run.megabytes} |"
        for run in runs
    ]
    return "\n".join(lines) + "\n"


def _count(times: int, written: tuple[Path, int]) -> Run:
    folder, rows = written
    counted = [str(folder), "--output", str(folder / "figures.csv.gz")]
    started = time.perf_counter()
    said = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _CHILD, *counted],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout
    seconds = time.perf_counter() - started
    most = int(said.split()[-2]) // 1024
    return Run(times, rows, round(seconds, 2), round(rows / seconds), most)


def _write(folder: Path, figures: Figures, rows: int) -> tuple[Path, int]:
    """Write at least ``rows`` crimes, a file for each month and force; returns their number."""
    folder.mkdir()
    written = 0
    year = 2025
    while written < rows:
        files: dict[str, list[tuple[str, str, str, str]]] = {}
        for cell, count in figures.items():
            month = f"{year}{cell.month[4:]}"
            slug = cell.force.lower().replace(" ", "-")
            line = (month, cell.force, cell.crime, cell.outcome)
            files.setdefault(f"{month}-{slug}-street.csv", []).extend([line] * count)
        for name, lines in sorted(files.items()):
            if written >= rows:
                break
            _write_file(folder / name, lines)
            written += len(lines)
        year -= 1
    return folder, written


def _write_file(path: Path, lines: list[tuple[str, str, str, str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(HEADER)
        place = ["0.520310", "51.148723", "On or near High Street", "E01024000", "Ashford 001A"]
        out.writerows(
            [CRIME_ID, month, force, force, *place, crime, outcome, ""]
            for month, force, crime, outcome in lines
        )


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.benchmark", __doc__)
    parser.add_argument("--rows", type=int, default=500_000, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    options = parser.parse_args(arguments)
    runs = measure(options.rows)
    if options.json:
        print(json.dumps([asdict(run) for run in runs]))
        return
    print(as_markdown(runs), end="")


if __name__ == "__main__":
    main()
