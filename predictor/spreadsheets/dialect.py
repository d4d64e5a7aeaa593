"""How a CSV file is written: what separates its columns, and how its characters are bytes."""

import codecs
import re
from dataclasses import dataclass

SEPARATORS = ",;\t"

# A file's first bytes, where they say how the rest is encoded
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
_PERHAPS_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*", re.ASCII)


@dataclass(frozen=True)
class Dialect:
    """The separator of the columns; the codec of the text, and the mark that comes before it."""

    separator: str = ","
    codec: str = "utf-8"
    mark: bytes = b""

    @property
    def charset(self) -> str:
        """The encoding's name in a Content-Type; which UTF-16 it is, the mark says."""
        return self.codec if self.codec == "utf-8" else "utf-16"

    def with_point(self, text: str) -> str:
        """A number that is written with a decimal comma, with a point; other text as it is.

        Where a comma separates columns there is none. A file with semicolons comes from a
        spreadsheet in whose language the comma is the decimal sign; one with tabs says nothing
        of the language, so what may as well be 1,234 with a separator of thousands stays text.
        """
        if self.separator == "," or not _DECIMAL_COMMA.fullmatch(text):
            return text
        if self.separator == "\t" and _PERHAPS_THOUSANDS.fullmatch(text):
            return text
        return text.replace(",", ".")


PLAIN = Dialect()


def encoding_of(head: bytes) -> tuple[str, bytes]:
    """Codec and mark of a file that begins with ``head``; UTF-8 where no mark says otherwise."""
    return next(((_MARKS[m], m) for m in _MARKS if head.startswith(m)), ("utf-8", b""))
