"""``python -m training.aggregate PATH…``: from the street-level files of the police to figures.

Streams every file once: memory does not grow with the number of crimes.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from .figures import Cell, Figures, FiguresError, read_figures, write_figures
from .street import StreetFileError, street_files


def aggregate(paths: Iterable[Path], *, progress: bool = True) -> Counter[Cell]:
    """Count the crimes in ``paths`` (folders, zip archives, single CSV files).

    Raises StreetFileError naming file and line of the first thing that is wrong.
    """
    figures: Counter[Cell] = Counter()
    with street_files(paths) as files:
        total = sum(file.size for file in files)
        with tqdm(total=total, unit="B", unit_scale=True, disable=not progress) as bar:
            for file in files:
                bar.set_description(file.name, refresh=False)
                figures.update(file.count(bar.update))
    return figures


def differences(ours: Figures, theirs: Figures) -> list[str]:
    """One line for each cell of the months in ``ours`` whose counts differ."""
    months = {cell.month for cell in ours}
    cells = sorted(cell for cell in {*ours, *theirs} if cell.month in months)
    return [
        f"{' / '.join(cell)}: {ours.get(cell, 0):,} here, {theirs.get(cell, 0):,} there"
        for cell in cells
        if ours.get(cell, 0) != theirs.get(cell, 0)
    ]


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.aggregate", description=__doc__)
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="folder, zip archive or CSV file of data.police.uk",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("outcome-counts.csv.gz"),
        help="where the figures go, .csv or .csv.gz (default: %(default)s)",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FIGURES",
        help="say whether these figures agree on the months read",
    )
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        figures = aggregate(options.paths)
        known = read_figures(options.compare) if options.compare else None
        write_figures(options.output, figures)
    except (StreetFileError, FiguresError) as error:
        sys.exit(f"error: {error}")
    seconds = time.perf_counter() - started
    crimes = sum(figures.values())
    print(f"{crimes:,} crimes in {seconds:.1f} s ({crimes / seconds:,.0f} rows/s)")
    print(f"{len(figures):,} figures written to {options.output}")
    if known is not None:
        _compare(figures, known, options.compare)


def _compare(figures: Figures, known: Figures, path: Path) -> None:
    found = differences(figures, known)
    months = ", ".join(sorted({cell.month for cell in figures}))
    if found:
        more = f"\n… and {len(found) - 20:,} more" if len(found) > 20 else ""
        sys.exit("\n".join(found[:20]) + more + f"\n{len(found):,} figures differ from {path}")
    print(f"All figures of {months} equal those in {path}")


if __name__ == "__main__":
    main()
