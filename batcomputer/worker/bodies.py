"""Request bodies: each is received whole, within limits, before Django sees the request."""

import io
import tempfile
from typing import IO, Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

from predictor.http.limits import BODY_BYTES, largest_body

from .deadlines import Client

HELD_BYTES = 128 * 2**20  # in bodies being received, of all clients of one worker
_PIECE = 2**16  # bytes


class TooBusy(ParseException):
    """Too many large bodies are being received."""


class TooLarge(ParseException):
    """A chunk declares a size above the limit of a whole body."""


class CutShort(ParseException):
    """The client closed its side of the connection before the body was complete."""


class Bodies:
    """The bodies that one worker is receiving."""

    def __init__(self) -> None:
        self._held = 0

    def take(self, req: Any, client: Client) -> bool:
        """Receive the whole body; False when it is too large and left unread.

        Raises TooBusy, TooLarge, CutShort and TooSlow.
        """
        if isinstance(req.body, io.BytesIO):
            return True  # it came with the head in one piece, smaller than any limit
        most = largest_body(_content_type(req))
        chunked = not isinstance(req.body.reader, LengthReader)
        length = most + 1 if chunked else req.body.reader.length
        invited, req._expected_100_continue = req._expected_100_continue, False  # noqa: SLF001
        if length == 0:
            return True
        if chunked:
            _limit_chunks(req.body.reader, most)
        elif length > most:
            req.force_close()
            return False
        body, received = self._receive(req.body, client, length, invited=invited)
        if chunked:
            _set_length(req, received)
        elif received < length:
            raise CutShort
        req.body = body
        if received > most:
            req.force_close()
            return False
        return True

    def _receive(
        self, body: Any, client: Client, length: int, *, invited: bool
    ) -> tuple[IO[bytes], int]:
        """At most ``length`` bytes of the body, and their number; raises TooBusy without memory."""
        in_memory = min(length, BODY_BYTES + 1)
        if self._held + in_memory > HELD_BYTES:
            raise TooBusy
        self._held += in_memory
        try:
            client.begin_body(length)
            if invited:  # gunicorn would send it too late
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            return _received(body, length)
        finally:
            self._held -= in_memory


def _limit_chunks(reader: Any, most: int) -> None:
    """Have ``reader`` raise TooLarge at a chunk's size, not wait for data that may never come."""
    parse = reader.parse_chunk_size

    def limited(*args: Any, **kwargs: Any) -> Any:
        size, rest = parse(*args, **kwargs)
        if size > most:
            raise TooLarge
        return size, rest

    reader.parse_chunk_size = limited


def _content_type(req: Any) -> str:
    """The Content-Type of a request; empty if there are several."""
    types = [value for name, value in req.headers if name == "CONTENT-TYPE"]
    return types[0] if len(types) == 1 else ""


def _received(body: Any, length: int) -> tuple[IO[bytes], int]:
    """At most ``length`` bytes of the body as a file, positioned at its start, and their number.

    Raises CutShort.
    """
    file: IO[bytes] = io.BytesIO()
    if length > BODY_BYTES + 1:
        file = tempfile.SpooledTemporaryFile(max_size=BODY_BYTES)  # noqa: SIM115 - the request's
    received = 0
    try:
        while received < length and (data := body.read(min(_PIECE, length - received))):
            file.write(data)
            received += len(data)
    except NoMoreData as error:
        raise CutShort from error
    file.seek(0)
    return file, received


def _set_length(req: Any, length: int) -> None:
    """Give a chunked body its length, so that the application sees an ordinary body."""
    req.headers = [(name, value) for name, value in req.headers if name != "TRANSFER-ENCODING"]
    req.headers.append(("CONTENT-LENGTH", str(length)))
