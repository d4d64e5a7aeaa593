"""The dialect of a CSV file: the separator of its columns, and its encoding."""

import codecs
import re
from dataclasses import dataclass

SEPARATORS = ",;\t"

# A file's first bytes, if they give the encoding of the rest
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
_PERHAPS_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*", re.ASCII)


@dataclass(frozen=True)
class Dialect:
    """The separator of the columns, the codec of the text, and the byte order mark before it."""

    separator: str = ","
    codec: str = "utf-8"
    mark: bytes = b""

    @property
    def charset(self) -> str:
        """The encoding's name in a Content-Type; for UTF-16, the mark gives the byte order."""
        return self.codec if self.codec == "utf-8" else "utf-16"

    def with_point(self, text: str) -> str:
        """Write a number with a decimal comma with a point instead; other text stays as it is.

        If commas separate columns, numbers have none. A file with semicolons comes from a
        spreadsheet whose language uses a decimal comma. A file with tabs may be in any language,
        so text such as 1,234, whose comma may separate thousands, stays text.
        """
        if self.separator == "," or not _DECIMAL_COMMA.fullmatch(text):
            return text
        if self.separator == "\t" and _PERHAPS_THOUSANDS.fullmatch(text):
            return text
        return text.replace(",", ".")


PLAIN = Dialect()


def encoding_of(head: bytes) -> tuple[str, bytes]:
    """Codec and mark of a file that begins with ``head``; UTF-8 without a mark."""
    return next(((_MARKS[m], m) for m in _MARKS if head.startswith(m)), ("utf-8", b""))
