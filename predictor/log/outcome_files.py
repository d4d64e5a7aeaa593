"""A CSV of outcomes: the columns ``id`` or ``reference``, and ``outcome``; others are ignored."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from predictor.log.outcomes import record_outcomes
from predictor.log.reports import (
    EVERYTHING,
    OutcomeReport,
    Reach,
    Receipt,
    RefusedReportError,
    ReportResult,
    checked_note,
    moment_of,
)
from predictor.spreadsheets.reading import CsvFile, UnreadableCSV

MAX_PROBLEMS = 50  # refused rows of a file that are listed one by one
NEEDED = ("id", "reference", "outcome")
OPTIONAL = ("time", "note")


@dataclass
class Imported:
    """The result of importing a file of outcomes."""

    recorded: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)  # the first MAX_PROBLEMS refused rows

    def refuse(self, problem: str) -> None:
        """Count a refused row, and note why."""
        self.refused += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


class OutcomeRows:
    """The reports in a CSV. After reading, ``broken`` says if and where the file breaks off."""

    def __init__(self, file: BinaryIO, columns: Collection[str]) -> None:
        """Raises UnreadableCSV, also when the header lacks one of the needed ``columns``."""
        self.csv = CsvFile(file, columns, strict=False)
        self.broken = ""
        self.lines: list[int] = []  # at which each report ends
        _check_header(self.csv.header, columns)
        self._places = {
            name: place for place, name in enumerate(self.csv.header) if name in columns
        }

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's last line, and its cells."""
        try:
            for _, line, cells in self.csv.rows():
                yield line, cells
        except UnreadableCSV as error:
            self.broken = f"{error}; what follows was not read"

    def reports(self) -> Iterator[OutcomeReport]:
        """The report of each row."""
        self.lines.clear()
        for line, cells in self.rows():
            self.lines.append(line)
            said = {n: cells[at].strip() for n, at in self._places.items() if at < len(cells)}
            at = self._places["outcome"]  # a flag may begin with a space
            yield OutcomeReport(**said | {"outcome": "".join(cells[at : at + 1])}, in_csv=True)


def import_csv(file: BinaryIO, reach: Reach = EVERYTHING) -> Imported:
    """Report all outcomes of a CSV, with their times and notes.

    Ignores an unreadable ``time`` and a ``note`` that cannot be kept: older releases ignored all of
    them. A refused row is listed and does not stop the others. Raises UnreadableCSV, also when the
    header lacks the columns.
    """
    rows = OutcomeRows(file, (*NEEDED, *OPTIONAL))
    imported = Imported()
    for number, receipt in enumerate(record_outcomes(map(_lenient, rows.reports()), reach)):
        if receipt.result is ReportResult.ACCEPTED:
            imported.recorded += 1
        else:
            imported.refuse(f"line {rows.lines[number]}: {_words(receipt)}")
    if rows.broken:
        imported.refuse(rows.broken)
    return imported


def _lenient(report: OutcomeReport) -> OutcomeReport:
    try:
        moment_of(report.time)
    except RefusedReportError:
        report = report._replace(time="")
    try:
        checked_note(report.note)
    except RefusedReportError:
        report = report._replace(note="")
    return report


def _words(receipt: Receipt) -> str:
    return (
        f"outcome: {receipt.detail}" if receipt.result is ReportResult.NO_FLAG else receipt.detail
    )


def _check_header(header: list[str], columns: Collection[str]) -> None:
    if "outcome" not in header or not {"id", "reference"}.intersection(header):
        raise UnreadableCSV('the CSV needs a header with "outcome" and "id" or "reference"')
    if twins := [name for name in columns if header.count(name) > 1]:
        raise UnreadableCSV(f"the column '{twins[0]}' appears twice in the header")
