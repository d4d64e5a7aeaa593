"""The bodies of requests: each is taken in whole, within limits, before Django sees the request."""

import io
import tempfile
from typing import IO, Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

from predictor.http.limits import BODY_BYTES, largest_body

from .deadlines import Client

HELD_BYTES = 128 * 2**20  # in bodies under way, of all clients of one worker
_PIECE = 2**16  # bytes


class TooBusy(ParseException):
    """Too many large bodies are under way."""


class TooLarge(ParseException):
    """A chunk says that it is larger than a whole body may be."""


class CutShort(ParseException):
    """The client ended its side of the connection before the body was whole."""


class Bodies:
    """The bodies that are arriving in one worker."""

    def __init__(self) -> None:
        self._held = 0

    def take(self, req: Any, client: Client) -> bool:
        """Take in the whole body; False when it is too large and was left unread.

        Raises TooBusy, TooLarge, CutShort and TooSlow.
        """
        if isinstance(req.body, io.BytesIO):
            return True  # it came with a head, in one piece that is smaller than any limit
        most = largest_body(_content_type(req))
        chunked = not isinstance(req.body.reader, LengthReader)
        length = most + 1 if chunked else req.body.reader.length
        invited, req._expected_100_continue = req._expected_100_continue, False  # noqa: SLF001
        if length == 0:
            return True
        if length > most and not chunked:
            req.force_close()
            return False
        in_memory = min(length, BODY_BYTES + 1)
        if self._held + in_memory > HELD_BYTES:
            raise TooBusy
        self._held += in_memory
        try:
            client.begin_body(length)
            if chunked:
                _limit_chunks(req.body.reader, most)
            if invited:  # gunicorn would send it too late
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body, received = _received(req.body, length)
        finally:
            self._held -= in_memory
        if chunked:
            _set_length(req, received)
        elif received < length:
            raise CutShort
        req.body = body
        if received > most:
            req.force_close()
            return False
        return True


def _limit_chunks(reader: Any, most: int) -> None:
    """Have ``reader`` raise TooLarge at a chunk's size, rather than wait for what never comes."""
    parse = reader.parse_chunk_size

    def limited(*args: Any, **kwargs: Any) -> Any:
        size, rest = parse(*args, **kwargs)
        if size > most:
            raise TooLarge
        return size, rest

    reader.parse_chunk_size = limited


def _content_type(req: Any) -> str:
    """The one Content-Type of a request; none of several counts."""
    types = [value for name, value in req.headers if name == "CONTENT-TYPE"]
    return types[0] if len(types) == 1 else ""


def _received(body: Any, length: int) -> tuple[IO[bytes], int]:
    """The body, at most ``length`` bytes of it, as a file at its start; and how many they are.

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
    """What came in chunks is whole now: to the application it has a length like any other."""
    req.headers = [(name, value) for name, value in req.headers if name != "TRANSFER-ENCODING"]
    req.headers.append(("CONTENT-LENGTH", str(length)))
