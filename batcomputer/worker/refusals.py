"""The requests that are refused before Django sees them, each with its problem document."""

import re
from http import HTTPStatus
from typing import Any, NamedTuple

from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidHeader,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from predictor.http.problems import CONTENT_TYPE, headers_of, problem_bytes

from .bodies import CutShort, TooBusy, TooLarge
from .deadlines import TooSlow


class TwoHosts(ParseException):
    """The target names another host than the Host header."""


class RefusalResponse(NamedTuple):
    """A response of the worker itself, which closes the connection."""

    code: int
    detail: str

    def response(self) -> bytes:
        """The whole response, as bytes to send."""
        body = problem_bytes(self.code, self.detail)
        headers = {
            "Connection": "close",
            "Content-Type": CONTENT_TYPE,
            "Content-Length": str(len(body)),
            "X-Content-Type-Options": "nosniff",
            **headers_of(self.code),
        }
        head = [f"HTTP/1.1 {self.code} {HTTPStatus(self.code).phrase}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*head, "", ""]).encode() + body


UNEXPECTED = RefusalResponse(500, "an unexpected error; it has been logged")
TOO_MANY_CONNECTIONS = RefusalResponse(
    503, "your address has too many open connections; close some"
)

# The first entry whose class fits the exception counts.
_REFUSALS = {
    TooSlow: RefusalResponse(408, "the request was not received in time; send it in one go"),
    TooBusy: RefusalResponse(503, "too many large requests are in progress; try again in a second"),
    TooLarge: RefusalResponse(413, "the body is too large"),
    CutShort: RefusalResponse(400, "the request ended before its body did"),
    TwoHosts: RefusalResponse(400, "the request's target and its Host header name different hosts"),
    LimitRequestLine: RefusalResponse(
        414, "the request line is too long; send your data in the body"
    ),
    LimitRequestHeaders: RefusalResponse(
        431, "the request has too many headers, or too large ones"
    ),
    ExpectationFailed: RefusalResponse(417, "only 'Expect: 100-continue' is supported"),
    UnsupportedTransferCoding: RefusalResponse(501, "only the coding 'chunked' is supported"),
    ParseException: RefusalResponse(400, "the request is not valid HTTP/1.1"),
}  # fmt: skip


def refusal_of(error: BaseException) -> RefusalResponse | None:
    """The response to an exception from a request; None when that is a bug of ours."""
    for kind, refusal in _REFUSALS.items():
        if isinstance(error, kind):
            return refusal
    return None


def check_head(req: Any) -> None:
    """Refuse heads that gunicorn accepts but a proxy in front may read differently.

    Raises InvalidHeader, TwoHosts and UnsupportedTransferCoding. A request of a later HTTP/1.x is
    one of HTTP/1.1 (RFC 9110, section 2.5), and answered as such.
    """
    req.version = min(req.version, (1, 1))
    hosts = [value for name, value in req.headers if name == "HOST"]
    if req.version >= (1, 1) and not hosts:
        raise InvalidHeader("HOST")
    scheme, absolute, rest = req.uri.partition("://")
    named = re.split("[/?#]", rest, maxsplit=1)[0]
    if absolute and "/" not in scheme and hosts and named.lower() != hosts[0].lower():
        raise TwoHosts
    for name, value in req.headers:
        if name == "TRANSFER-ENCODING" and value.strip().lower() != "chunked":
            raise UnsupportedTransferCoding(value)
        # gunicorn knows "close" only as the whole value; it may be one of several (RFC 9110, 7.6.1)
        if name == "CONNECTION" and "close" in re.split("[ \t]*,[ \t]*", value.strip().lower()):
            req.force_close()
