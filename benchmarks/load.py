"""Puts a server under load: with wrk if it is installed, else with a small driver in Python."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LUA = Path(__file__).with_name("questions.lua")


class LoadError(RuntimeError):
    """A run that must not be reported: a response is missing, or not a 200."""


@dataclass(frozen=True)
class Load:
    """The result of a number of connections; latencies are in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def drive(url: str, bodies: Path, connections: int, seconds: float, content_type: str) -> Load:
    """Send the lines of ``bodies`` over ``connections`` kept open for ``seconds``.

    Raises LoadError when any response is missing or not a success.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        return asyncio.run(_drive(url, bodies, connections, seconds, content_type))
    command = [
        wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s",
        "-s", str(LUA), url, "--", str(bodies), content_type,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counted = json.loads(done.stdout.splitlines()[-1])
    refused, broken = counted.pop("refused"), counted.pop("broken")
    if refused or broken:
        raise LoadError(
            f"{url}: of {counted['requests']} answers {refused} were no success, and "
            f"{broken} connections broke"
        )
    return Load(**counted)


async def _drive(
    url: str, bodies: Path, connections: int, seconds: float, content_type: str
) -> Load:
    """Without wrk: slower, so the sides differ less than they really do."""
    target = urlsplit(url)
    requests = itertools.cycle(as_requests(target.netloc, target.path, bodies, content_type))
    began = time.perf_counter()
    asking = [
        _ask(target.hostname or "", target.port or 80, requests, began + seconds)
        for _ in range(connections)
    ]
    latencies = sorted(itertools.chain(*await asyncio.gather(*asking)))
    p50, p99 = (_quantile(latencies, share) * 1e3 for share in (0.5, 0.99))
    return Load(len(latencies), time.perf_counter() - began, p50, p99)


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[int(len(ordered) * share)] if ordered else 0.0


def as_requests(host: str, path: str, bodies: Path, content_type: str) -> Iterator[bytes]:
    """The bytes of a request for each line of ``bodies``."""
    for body in bodies.read_bytes().splitlines():
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\n"
        yield f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _ask(host: str, port: int, requests: Iterator[bytes], until: float) -> list[float]:
    reader, writer = await asyncio.open_connection(host, port)
    latencies = []
    while (asked := time.perf_counter()) < until:
        writer.write(next(requests))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if " 200 " not in head.partition("\r\n")[0]:
            raise LoadError(f"the server answered {head.splitlines()[0]}")
        await reader.readexactly(int(head.partition("content-length:")[2].partition("\r")[0]))
        latencies.append(time.perf_counter() - asked)
    writer.close()
    return latencies
