"""A copy of the parts of data.police.uk that training.download uses, on a free local port."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class PoliceSite(ThreadingHTTPServer):
    """Serves ``archives`` with ranges and redirects; misbehaves if a test says so."""

    daemon_threads = True

    def __init__(self, archives: dict[str, Path], months: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.archives = archives
        self.months = months
        self.md5 = {name: hashlib.md5(p.read_bytes()).hexdigest() for name, p in archives.items()}
        self.trouble: list[int | str] = []  # one per response: a status, or "cut"
        self.retry_after = "0"
        self.asked: list[tuple[str, str | None]] = []
        self.ranges = True
        self.tags = True
        self.api = json.dumps([{"date": month} for month in months])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: PoliceSite

    def do_GET(self):
        site = self.server
        site.asked.append((self.path, self.headers["Range"]))
        if self.path == "/api/crimes-street-dates":
            return self._send(site.api.encode())
        if self.path == "/data/archive/":
            rows = "".join(
                f"<tr><td><a href='{n}'>{n}</a></td><td>{m}</td></tr>" for n, m in site.md5.items()
            )
            return self._send(rows.encode())
        name = self.path.rpartition("/")[2]
        if name not in site.archives:
            return self.send_error(404)
        if self.path.startswith("/data/archive/"):
            self.send_response(302)
            self.send_header("Location", f"{site.url}/store/{name}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        return self._send_archive(site.archives[name].read_bytes())

    def _send_archive(self, data):
        trouble = self.server.trouble.pop(0) if self.server.trouble else None
        if isinstance(trouble, int):
            self.send_response(trouble)
            self.send_header("Retry-After", self.server.retry_after)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        start = 0
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        same = self.headers["If-Range"] in (None, tag)
        if self.headers["Range"] and self.server.ranges and same:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(data):
            return self.send_error(416)
        status = 206 if start else 200
        return self._send(data[start:], status, trouble == "cut", tag * self.server.tags)

    def _send(self, data, status=200, cut=False, tag=""):
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)

    def log_message(self, *args):
        pass


@contextmanager
def police_site(archives: dict[str, Path], months: list[str]) -> Iterator[PoliceSite]:
    site = PoliceSite(archives, months)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        thread.join()
        site.server_close()
