"""Request bodies: strict JSON, so that no value of a caller is silently changed."""

import shutil
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import Any

from rest_framework.parsers import BaseParser

from predictor.artifacts.untrusted import NotJSON, parse_strict_json
from predictor.http.errors import MalformedBody

CSV_IN_MEMORY = 2**20  # bytes


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without NaN, Infinity or duplicate keys."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return parse_json(stream.read())


class CSVParser(BaseParser):
    """A CSV file, on disk when it is large; predictor.api.csv_rows reads it."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        with ExitStack() as closing:
            file = closing.enter_context(SpooledTemporaryFile(max_size=CSV_IN_MEMORY))
            shutil.copyfileobj(stream, file)
            closing.pop_all()  # the file stays open while its rows are answered
            return file


def parse_json(body: bytes) -> Any:
    """``body`` as Python objects. Raises MalformedBody saying what is wrong with it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"the body is not UTF-8: byte {error.start} cannot be read") from error
    if text.startswith("\ufeff"):
        raise MalformedBody("the body begins with a byte order mark; send UTF-8 without one")
    if not text.strip():
        raise MalformedBody("the body is empty; send a JSON object")
    try:
        return parse_strict_json(text)
    except NotJSON as error:
        raise MalformedBody(f"the body {error}", field=error.key) from error
