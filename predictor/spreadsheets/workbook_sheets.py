"""The cells of a workbook's sheet, and the texts that its sheets share, from their XML."""

import re

from predictor.spreadsheets.dates import moment
from predictor.spreadsheets.workbook_parts import PartReader, UnreadableWorkbook

_MOST_TEXTS = 1_000_000  # in the table of shared texts
_MOST_ROWS, _MOST_COLUMNS = 2**20, 2**14  # per sheet (ECMA-376)
_MOST_CHARACTERS = 32_767  # per cell
_ESCAPED = re.compile(r"_x(?![Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")  # part 1, 22.9.2.19; no surrogates
_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
FilledCells = list[tuple[int, str]]  # (column from 1, text) of cells that are not blank


class _Text(PartReader):
    """Collects the text of cells, without their pronunciation guides."""

    def __init__(self) -> None:
        self._inside = self._aside = 0
        self._pieces: list[str] = []
        self._size = 0

    def text(self, text: str) -> None:
        if self._inside and not self._aside:
            self._pieces.append(text)
            self._size += len(text)
            if self._size > _MOST_CHARACTERS:
                raise UnreadableWorkbook(
                    f"a cell of the workbook has more than {_MOST_CHARACTERS:,} characters"
                )

    def taken(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


class SharedTexts(_Text):
    """The table of texts to which cells refer by number."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def start(self, name: str, has: dict[str, str]) -> None:
        self._inside += name == "t"
        self._aside += name == "rPh"

    def end(self, name: str) -> None:
        self._inside -= name == "t"
        self._aside -= name == "rPh"
        if name == "si":
            self.found.append(self.taken())
            if len(self.found) > _MOST_TEXTS:
                raise UnreadableWorkbook("the workbook has too many texts; save it as CSV")


class Sheet(_Text):
    """The rows of a sheet read so far; the consumer empties ``rows``."""

    def __init__(self, texts: list[str], dated: list[bool], since_1904: bool) -> None:
        super().__init__()
        self._texts, self._dated, self._since_1904 = texts, dated, since_1904
        self.rows: list[FilledCells] = []
        self._number = self._column = 0  # of the row and column being read, from 1
        self._cells: FilledCells = []
        self._kind = self._style = ""

    def start(self, name: str, has: dict[str, str]) -> None:
        if name == "row":
            self._begin_row(has.get("r"))
        elif name == "c":
            self._begin_cell(has)
        elif name in ("v", "t"):
            self._inside += 1
        elif name == "rPh":
            self._aside += 1
        elif name == "f":
            raise UnreadableWorkbook(f"cell {self._place} holds a formula; save its values only")

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._inside -= 1
        elif name == "rPh":
            self._aside -= 1
        elif name == "c":
            if value := self._value():
                self._cells.append((self._column, value))
        elif name == "row":
            self.rows.append(self._cells)

    @property
    def _place(self) -> str:
        return f"{_letters(self._column)}{self._number}"

    def _begin_row(self, said: str | None) -> None:
        before, self._number = (
            self._number,
            int(said or 0) if _is_number(said) else self._number + 1,
        )
        if not before < self._number <= _MOST_ROWS:
            raise UnreadableWorkbook(f"row {self._number} of the workbook is out of order")
        self.rows += [[]] * (self._number - before - 1)
        self._cells, self._column = [], 0

    def _begin_cell(self, has: dict[str, str]) -> None:
        place = _PLACE.fullmatch(has.get("r", ""))
        before, self._column = self._column, _column(place[1]) if place else self._column + 1
        if not before < self._column <= _MOST_COLUMNS:
            raise UnreadableWorkbook(f"cell {self._place} of the workbook is out of order")
        self._kind, self._style = has.get("t", "n"), has.get("s", "0")

    def _value(self) -> str:
        text = self.taken()
        if self._kind == "e":
            raise UnreadableWorkbook(f"cell {self._place} holds the error {text[:20]}")
        if self._kind == "s":
            at = int(text) if _is_number(text) else -1
            if not 0 <= at < len(self._texts):
                raise UnreadableWorkbook(f"cell {self._place} refers to a text that does not exist")
            return self._texts[at]
        if self._kind == "b":
            return {"0": "false", "1": "true"}.get(text, text)
        if self._kind != "n" or not text:
            return text
        return self._number_or_date(text)

    def _number_or_date(self, text: str) -> str:
        try:
            number = float(text)
        except ValueError:
            raise UnreadableWorkbook(f"cell {self._place} is not a number: {text[:20]}") from None
        style = int(self._style) if _is_number(self._style) else 0
        if style < len(self._dated) and self._dated[style]:
            return moment(number, since_1904=self._since_1904) or text
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _is_number(text: str | None) -> bool:
    return bool(re.fullmatch("[0-9]{1,7}", text or ""))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
