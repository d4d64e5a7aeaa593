"""The parts of an untrusted workbook, a ZIP of XML files, each read a piece at a time.

The reader limits the unpacked size as it goes, and refuses everything that an XML file can define,
fetch or run: document types, and workbooks with a part that links elsewhere or is a program.
"""

import re
import time
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat
from xml.parsers.expat import XMLParserType

from predictor.spreadsheets.reading import UnreadableCSV

_PIECE = 2**16  # bytes
_MOST_UNPACKED = 2**26  # bytes read of all parts together: 64 MB
_MOST_PARTS = 1_000
_MOST_ELEMENTS = 100_000  # of a part that is kept in memory
_FORBIDDEN = re.compile(
    r"externallinks?/|vbaproject|macrosheets/|activex/|embeddings/|querytables/|connections\.xml",
    re.IGNORECASE,
)
_KNOWN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class UnreadableWorkbook(UnreadableCSV):
    """A file is not a readable workbook; the message says why, and where."""


class Archive:
    """The parts of a workbook."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)
        parts = self._zip.infolist()
        names = {part.filename for part in parts}
        if len(parts) > _MOST_PARTS or len(names) < len(parts):
            raise UnreadableWorkbook("the workbook has too many parts; save it as CSV")
        if any(part.flag_bits & 1 or part.compress_type not in _KNOWN for part in parts):
            raise UnreadableWorkbook("the workbook is damaged or locked; save it as CSV")
        if active := next((name for name in sorted(names) if _FORBIDDEN.search(name)), None):
            raise UnreadableWorkbook(
                f"the workbook links to other files or holds a program ({active.rpartition('/')[2]}"
                "); save it as CSV"
            )
        self.names = names
        self._left = _MOST_UNPACKED

    def parse(self, name: str, reader: "PartReader") -> Iterator[None]:
        """Feed a part to ``reader``, a piece at a time."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_document_type
        reader.listen(parser)
        try:
            with self._zip.open(name) as part:
                while piece := part.read(_PIECE):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise UnreadableWorkbook(
                            f"the workbook unpacks to more than {_MOST_UNPACKED >> 20} MB; send it "
                            "in parts, or as CSV"
                        )
                    parser.Parse(piece)
                    yield
                    time.sleep(0)  # under gevent this lets other requests go on
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            short = name.rpartition("/")[2]
            raise UnreadableWorkbook(f"{short} in the workbook is not XML: {error}") from error
        yield

    def read(self, name: str, reader: "PartReader") -> None:
        """The bytes of a part; empty if it does not exist."""
        if name in self.names:
            for _ in self.parse(name, reader):
                pass


def _no_document_type(*_: Any) -> None:
    raise UnreadableWorkbook("the workbook defines entities of its own; save it as CSV")


class PartReader:
    """Reads the content of a part: ``start``, ``end`` and ``text`` are called on the way."""

    def listen(self, parser: XMLParserType) -> None:
        parser.StartElementHandler = lambda name, has: self.start(local_name(name), has)
        parser.EndElementHandler = lambda name: self.end(local_name(name))
        parser.CharacterDataHandler = self.text

    def start(self, name: str, has: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


def local_name(name: str) -> str:
    """The name without its namespace: strict and transitional files have different ones."""
    return name.rpartition(" ")[2]


class Elements(PartReader):
    """All elements with the wanted names, in order; for small parts."""

    def __init__(self, *wanted: str) -> None:
        self._wanted = wanted
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, has: dict[str, str]) -> None:
        if name in self._wanted:
            self.found.append((name, {local_name(key): value for key, value in has.items()}))
            if len(self.found) > _MOST_ELEMENTS:
                raise UnreadableWorkbook("the workbook has too many styles; save it as CSV")


def target(archive: Archive, part: str, kind: str, identity: str = "") -> str:
    """The part to which ``part`` (empty: the workbook) has that relation; empty if none."""
    folder, _, name = part.rpartition("/")
    listed = Elements("Relationship")
    archive.read(f"{folder}/_rels/{name}.rels".lstrip("/"), listed)
    for _, has in listed.found:
        if has.get("Type", "").endswith(f"/{kind}") and identity in ("", has.get("Id")):
            if has.get("TargetMode") == "External":
                raise UnreadableWorkbook("the workbook links to other files; save it as CSV")
            target = has.get("Target", "")
            return (
                target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
            )
    return ""
