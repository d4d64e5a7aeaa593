"""Sends raw bytes to a server, including requests that HTTP clients would not send."""

import json
import socket
import time
from dataclasses import dataclass
from typing import Any

from tests.bundles import ITEM

GOOD = json.dumps(ITEM).encode()


@dataclass
class Answer:
    """One parsed HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(
    target: str = "/api/predict", method: str = "POST", body: bytes = GOOD, **headers: str | None
) -> bytes:
    """A request as bytes; headers that are None are omitted."""
    lines: dict[str, str | None] = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = [f"{name}: {value}" for name, value in lines.items() if value is not None]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *head, "", ""]).encode("latin-1") + body


def connect(port: int, timeout: float = 30) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def ask(port: int, raw: bytes, timeout: float = 30) -> Answer:
    """Send ``raw``, and read one response until the server closes the connection."""
    with connect(port, timeout) as client:
        started = time.monotonic()
        client.sendall(raw)
        return read(client, started)


def read(client: socket.socket, started: float | None = None) -> Answer:
    """Read until the server closes the connection."""
    started = time.monotonic() if started is None else started
    received = b""
    while piece := client.recv(65536):
        received += piece
    return parse(received, time.monotonic() - started)


def parse(received: bytes, seconds: float = 0) -> Answer:
    head, blank, body = received.partition(b"\r\n\r\n")
    assert blank, f"no answer: {received[:200]!r}"
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.title(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]), headers, body, seconds)
