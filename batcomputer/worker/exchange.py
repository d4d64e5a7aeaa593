"""Between a request and the WSGI application: the environ, and the response in one send.

gunicorn's classes do the same for any configuration; these are for this server's, and leave unusual
requests to gunicorn's.
"""

import os
import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from gunicorn.http.wsgi import Response, base_environ, create
from gunicorn.util import unquote_to_wsgi_str

# Header names of the server itself; gunicorn checks all others, character by character.
_OWN = frozenset(
    (
        "Content-Length", "Content-Type", "Strict-Transport-Security", "X-Content-Type-Options",
        "X-Model-Version", "X-Prediction-Id", "X-Request-Id",
    )
)  # fmt: skip


class WorkerResponse(Response):
    """gunicorn's response, with head and body in one send if the body is complete."""

    headers_sent: bool  # gunicorn's

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Accept the application's headers; for known names, check only the values."""
        if not all(name in _OWN and _is_plain(value) for name, value in headers):
            super().process_headers(headers)
            return
        self.headers = headers
        for name, value in headers:
            if name == "Content-Length":
                self.response_length = int(value)

    def write(self, arg: bytes) -> None:
        """Send a part of the body; if it is the whole body, together with the head."""
        is_all = not self.headers_sent and len(arg) == self.response_length
        if not is_all or self.upgrade:
            super().write(arg)
            return
        self.headers_sent = True
        self.sent = len(arg)
        self.sock.sendall(self._head() + (b"" if self._omits_body else arg))

    def _head(self) -> bytes:
        major, minor = self.req.version
        connection = "close" if self.should_close() else "keep-alive"
        own = "".join([f"{name}: {value}\r\n" for name, value in self.headers])
        return (
            f"HTTP/{major}.{minor} {self.status}\r\nServer: {self.version}\r\n"
            f"Date: {_date(int(time.time()))}\r\nConnection: {connection}\r\n{own}\r\n"
        ).encode("latin-1")


class Environs:
    """The environ of each request of one worker."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg
        self._always = base_environ(cfg) | {"SCRIPT_NAME": "", "wsgi.multithread": True}
        self._is_below = bool(os.environ.get("SCRIPT_NAME"))

    def of(self, req: Any, sock: Any, addr: Any, server: Any) -> dict[str, Any]:
        """The environ of PEP 3333; a header sent twice becomes one with both values.

        A head that was seen before on this connection has the same environ, except for the body.
        """
        head = req.head
        if head and head.environ:
            length = req.length
            again: dict[str, Any] = head.environ | {
                "CONTENT_LENGTH": length,
                "wsgi.input": req.body,
            }
            return again
        environ: dict[str, Any] = self._made(req, sock, addr, server)
        if head:
            head.environ = environ.copy()  # the application may change its environ
        return environ

    def _made(self, req: Any, sock: Any, addr: Any, server: Any) -> dict[str, Any]:
        is_tcp = isinstance(addr, tuple) and isinstance(server, tuple)
        if self._is_below or not is_tcp or req.proxy_protocol_info:
            environ: dict[str, Any] = create(req, sock, addr, server, self._cfg)[1]
            return environ | {"wsgi.multithread": True}
        major, minor = req.version
        environ = self._always | {
            "REQUEST_METHOD": req.method,
            "PATH_INFO": unquote_to_wsgi_str(req.path),
            "QUERY_STRING": req.query,
            "RAW_URI": req.uri,
            "SERVER_PROTOCOL": f"HTTP/{major}.{minor}",
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "REMOTE_ADDR": addr[0],
            "REMOTE_PORT": str(addr[1]),
            "wsgi.input": req.body,
            "wsgi.url_scheme": req.scheme,
            "gunicorn.socket": sock,
        }
        for name, value in req.headers:
            key = _KEYS.get(name) or f"HTTP_{name.replace('-', '_')}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ


_KEYS = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable()


@lru_cache(maxsize=2)  # all responses of a second share it
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
