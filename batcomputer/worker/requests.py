"""The requests of one connection, as gunicorn parses them; the same head is parsed once.

A client that keeps its connection sends the same head each time, except for the length of the body:
then only that length is new, and the parsed rest is used again.
"""

import re
from io import BytesIO
from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import SocketUnreader

from .refusals import check_head

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n|\Z)", re.IGNORECASE)
_LONGEST = 4096  # bytes of a head that is cached
_DIGITS = 10  # of a length


class Head:
    """A parsed head without its length, valid for this connection only."""

    def __init__(self, head: bytes, digits: tuple[int, int], request: Any) -> None:
        """``digits``: the place of the length in ``head``, from which ``request`` was parsed."""
        self._before, self._after = head[: digits[0]], head[digits[1] :]
        self._fixed = len(self._before) + len(self._after)
        self._parsed = vars(request) | {"head": self}
        self._place = [name for name, _ in request.headers].index("CONTENT-LENGTH")
        self.environ: dict[str, Any] | None = None  # of the first request, for the next ones

    @classmethod
    def of(cls, head: bytes, request: Any) -> "Head | None":
        """The head of ``request``; None when it is unusual, or too long to cache."""
        digits = _LENGTH.search(head)
        is_plain = (
            digits is not None
            and len(head) <= _LONGEST
            and isinstance(request.body.reader, LengthReader)
            and not request.proxy_protocol_info
            and not request._expected_100_continue  # noqa: SLF001 - gunicorn's
        )
        return cls(head, digits.span(1), request) if digits and is_plain else None

    def again(self, head: bytes, rest: bytes, unreader: Any) -> Any:
        """The request of ``head``; None when it differs from this one in more than the length.

        ``rest``, the bytes after the head, becomes the body if the body is complete.
        """
        if not (head.startswith(self._before) and head.endswith(self._after)):
            return None
        digits = head[len(self._before) : len(head) - len(self._after)]
        if not (digits.isdigit() and len(digits) <= _DIGITS and len(head) > self._fixed):
            return None
        request = Request.__new__(Request)
        headers, length = self._parsed["headers"].copy(), digits.decode()
        headers[self._place] = ("CONTENT-LENGTH", length)
        size = int(length)
        if len(rest) == size:
            body: Any = BytesIO(rest)
        else:
            unreader.unread(rest)
            body = Body(LengthReader(unreader, size))
        vars(request).update(self._parsed, headers=headers, length=length, body=body)
        return request


class Requests:
    """An iterator over the requests of one connection, each with its ``head``, or None.

    ``next`` raises the errors of gunicorn's parser, ``check_head`` and the client's socket.
    """

    def __init__(self, cfg: Any, client: Any, address: Any) -> None:
        self._cfg = cfg
        self._address = address
        self._unreader = SocketUnreader(client)
        self._count = 0
        self._proxy: Any = {}  # the first request's proxy information
        self._last: Head | None = None

    def __iter__(self) -> "Requests":
        return self

    def __next__(self) -> Any:
        data = self._unreader.read()
        if not data:
            raise StopIteration
        self._count += 1
        head, end, rest = data.partition(_END)
        if end and self._last and (request := self._last.again(head, rest, self._unreader)):
            return request
        self._unreader.unread(data)
        return self._parse(head if end else b"")

    def _parse(self, head: bytes) -> Any:
        request: Any = Request(self._cfg, self._unreader, self._address, self._count)
        check_head(request)
        self._proxy = request.proxy_protocol_info = request.proxy_protocol_info or self._proxy
        request.head = self._last = Head.of(head, request)
        return request
