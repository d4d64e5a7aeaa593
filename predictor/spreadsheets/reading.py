"""Reads other programs' CSV files row by row, with any common separator and encoding."""

import codecs
import csv
import io
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from predictor.spreadsheets.dialect import SEPARATORS, Dialect, encoding_of

_PIECE = 2**18  # bytes
_MAX_HEADER = 2**20  # characters
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
# Python's messages, in words that say what to correct
_PROBLEMS = {
    "unexpected end of data": "a quote opens there and is never closed",
    "field larger than": f"a cell has more than {csv.field_size_limit():,} characters",
    "expected after": "a quote within a quoted cell must be written twice",
}


class UnreadableCSV(ValueError):
    """A file is not readable CSV; the message says in which line, and why."""


class CsvFile:
    """A CSV file with a header. The file stays open, and ``rows`` reads it from its beginning.

    With ``strict``, the whole file is checked at once for bytes that are not text. Without, these
    become U+FFFD and stray quotes stay, so that one bad row does not spoil the others.
    """

    def __init__(self, file: BinaryIO, wanted: Collection[str], *, strict: bool = True) -> None:
        """``wanted`` are column names from which to recognise the separator.

        Raises UnreadableCSV if there is no header, or the file is not text.
        """
        self._file, self._strict = file, strict
        file.seek(0)
        head = file.read(4)
        if head.startswith(_WORKBOOKS):
            raise UnreadableCSV("the file is a workbook; save it as CSV")
        codec, mark = encoding_of(head)
        if strict:
            _check_text(file, codec, mark)
        self.dialect = Dialect(codec=codec, mark=mark)
        record = self._first_record()
        self.dialect = replace(self.dialect, separator=_separator(record, wanted))
        self.header = self._parse_header(record)

    def rows(self) -> Iterator[tuple[int, int, list[str]]]:
        """Yield (row number, number of its last line, cells) for each row after the header.

        Both numbers count from 1, the header. Blank rows count but are not yielded. Raises
        UnreadableCSV.
        """
        line = 0
        with self._text() as text:
            reader = csv.reader(text, delimiter=self.dialect.separator, strict=self._strict)
            try:
                for number, cells in enumerate(reader, start=1):
                    line = reader.line_num
                    if cells and number > 1:
                        yield number, line, cells
            except csv.Error as error:
                raise _unreadable(line + 1, str(error)) from error

    def _parse_header(self, record: str) -> list[str]:
        lines = io.StringIO(record, newline="")
        reader = csv.reader(lines, delimiter=self.dialect.separator, strict=self._strict)
        try:
            return next(reader)
        except csv.Error as error:
            raise _unreadable(1, str(error)) from error

    def _first_record(self) -> str:
        """The header's text, which may have quoted line breaks."""
        lines: list[str] = []
        size = quotes = 0
        with self._text() as text:
            for line in text:
                lines.append(line)
                size += len(line)
                quotes += line.count('"')
                if quotes % 2 == 0 or size > _MAX_HEADER:
                    break
        if not lines:
            raise UnreadableCSV("the CSV is empty; its first row must be a header")
        return "".join(lines)

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        self._file.seek(len(self.dialect.mark))
        errors = "strict" if self._strict else "replace"
        text = io.TextIOWrapper(self._file, self.dialect.codec, errors, newline="")
        try:
            yield text
        finally:
            if not self._file.closed:  # it is closed if an answer was broken off
                text.detach()  # else it would close the file, which is read again


def _separator(header: str, wanted: Collection[str]) -> str:
    """The separator that finds most of the wanted columns, and among equals most columns."""

    def found(separator: str) -> tuple[int, int]:
        try:
            columns = next(csv.reader(io.StringIO(header, newline=""), delimiter=separator))
        except csv.Error:
            return 0, 0
        return len(set(wanted).intersection(columns)), len(columns)

    return max(SEPARATORS, key=found)


def _unreadable(line: int, problem: str) -> UnreadableCSV:
    words = next((words for said, words in _PROBLEMS.items() if said in problem), problem)
    return UnreadableCSV(f"the CSV cannot be read at line {line}: {words}")


def _check_text(file: BinaryIO, codec: str, mark: bytes) -> None:
    """Raises UnreadableCSV naming the first line that is not text in that encoding."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(), translate=True)
    file.seek(len(mark))
    line, more = 1, True
    while more:
        piece = file.read(_PIECE)
        more = bool(piece)
        wrong: UnicodeDecodeError | None = None
        try:
            text = decoder.decode(piece, final=not more)
        except UnicodeDecodeError as error:
            wrong = error
            text = decoder.decode(piece[: max(0, error.start + len(piece) - len(error.object))])
        if (at := text.find("\0")) >= 0:
            line += text.count("\n", 0, at)
            raise _unreadable(line, "a NUL character, as in UTF-16 without a byte order mark")
        line += text.count("\n")
        if wrong:
            name = "UTF-8" if codec == "utf-8" else "UTF-16"
            raise UnreadableCSV(f"the CSV is not {name}: line {line} cannot be read") from wrong
        time.sleep(0)  # under gevent this lets other requests go on
