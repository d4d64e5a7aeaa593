"""``python -m training.aggregate PATH…``: count the police's street-level files into figures.

Reads every file once, as a stream: memory does not grow with the number of crimes.
"""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from .ending import one_sentence
from .figures import Cell, Figures, FiguresError, read_figures, write_figures
from .street import StreetFile, StreetFileError, passed_over, street_files
from .usage import command_line


def aggregate(paths: Iterable[Path], *, progress: bool = True) -> dict[Cell, int]:
    """Count the crimes in ``paths`` (folders, zip archives, single CSV files).

    Raises StreetFileError naming file and line of the first error, or two files with the same
    force's crimes of a month.
    """
    figures: dict[Cell, int] = {}
    holders: dict[tuple[str, str], StreetFile] = {}
    with street_files(paths) as files:
        total = sum(file.size for file in files)
        with tqdm(
            total=total, unit="B", unit_scale=True, disable=None if progress else True
        ) as bar:
            for file in files:
                bar.set_description(file.name, refresh=False)
                counts = file.count(bar.update)
                _check_holders(file, {(cell.month, cell.force) for cell in counts}, holders)
                figures.update(counts)
    return figures


def _check_holders(
    file: StreetFile,
    found: Iterable[tuple[str, str]],
    holders: dict[tuple[str, str], StreetFile],
) -> None:
    """Refuse a copy of a file under another name: its crimes would count twice."""
    for month, force in found:
        holder = holders.setdefault((month, force), file)
        if holder is not file:
            raise StreetFileError(
                f"{holder.path} and {file.path} both hold the crimes of {force} in {month}; "
                "leave out one"
            )


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
    parser = command_line("training.aggregate", __doc__)
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
    with one_sentence(StreetFileError, FiguresError):
        known = read_figures(options.compare) if options.compare else None
        _check_writable(options.output)  # now, not after minutes of counting
        figures = aggregate(options.paths)
        write_figures(options.output, figures)
        over = passed_over(options.paths)
    seconds = time.perf_counter() - started
    crimes = sum(figures.values())
    print(f"{crimes:,} crimes in {seconds:.1f} s ({crimes / seconds:,.0f} rows/s)")
    print(f"{len(figures):,} figures written to {options.output}")
    if over:
        more = f" and {len(over) - 20:,} more" if len(over) > 20 else ""
        named = ", ".join(over[:20])
        print(
            f"not counted, for a file must be named YYYY-MM-<force>-street.csv: {named}{more}",
            file=sys.stderr,
        )
    if known is not None:
        _compare(figures, known, options.compare)


def _check_writable(output: Path) -> None:
    if output.is_dir():
        raise FiguresError(f"--output {output} is a folder; name a file, .csv or .csv.gz")
    nearest = next(parent for parent in output.absolute().parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise FiguresError(f"--output {output}: nothing can be written in {nearest}")


def _compare(figures: Figures, known: Figures, path: Path) -> None:
    found = differences(figures, known)
    months = ", ".join(sorted({cell.month for cell in figures}))
    if found:
        more = f"\n… and {len(found) - 20:,} more" if len(found) > 20 else ""
        sys.exit("\n".join(found[:20]) + more + f"\n{len(found):,} figures differ from {path}")
    print(f"All figures of {months} equal those in {path}")


if __name__ == "__main__":
    main()
