"""Downloads from data.police.uk: polite, and resumed after a break.

An interrupted download resumes where it stopped, unless the archive has changed since (its ETag
shows that). A failed request is retried after a pause; the site sets its length, up to a limit.
"""

import hashlib
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import HTTPError, InvalidHeader

from predictor.artifacts.durable import move_into_place
from predictor.artifacts.untrusted import load_json

SITE = "https://data.police.uk"
TRIES = 6
LONGEST_WAIT = 600  # seconds; a site that asks for more is an error
CHUNK = 1 << 20  # bytes
TIMEOUT = 60  # seconds without data
_TRY_AGAIN = (408, 429, 500, 502, 503, 504)
_GO_ON = "the same command goes on from here"


class DownloadError(RuntimeError):
    """The files cannot be downloaded; the message says which and why."""


@dataclass(frozen=True)
class Site:
    """Where the files are published. ``pause`` is the first wait between two tries, in seconds."""

    url: str = SITE
    pause: float = 2.0

    def months(self) -> list[str]:
        """The months that are published, as the site's API lists them."""
        address = "/api/crimes-street-dates"
        try:
            return sorted(str(entry["date"]) for entry in load_json(address, self._read(address)))
        except (ValueError, TypeError, KeyError) as error:
            raise DownloadError(f"{self.url}{address} lists no months ({error!r})") from error

    def md5(self, archive: str) -> str | None:
        """The MD5 of ``archive`` in the list of archives, if it has one."""
        page = self._read("/data/archive/").decode(errors="replace")
        for row in re.split(r"<(?:tr|li|p)\b", page):
            digests = re.findall(r"\b[0-9a-f]{32}\b", row)
            if archive in row and len(digests) == 1:
                return str(digests[0])
        return None

    def fetch(self, archive: str, folder: Path) -> Path:
        """Download ``archive`` into ``folder``, resuming an existing part.

        Raises DownloadError when the site does not serve it, or the file is damaged.
        """
        path, part = folder / archive, _Part(folder / f"{archive}.part")
        expected = self.md5(archive)
        if not path.exists():
            address = f"/data/archive/{archive}"
            with open(part.path, "ab", buffering=0) as file:
                self._unbroken(address, lambda: self._append(address, part, file))
            part.complete(path)
        if expected is not None and (actual := _md5(path)) != expected:
            path.unlink()
            raise DownloadError(
                f"{archive} arrived damaged: its MD5 is {actual}, {self.url} lists {expected}; "
                "start again"
            )
        return path

    def _append(self, address: str, part: "_Part", file: IO[bytes]) -> None:
        with self._open(address, part.wanted()) as answer:
            if answer.status_code == 416:  # no bytes are left: the file is complete
                return
            if answer.status_code == 200:  # the whole file, not the requested range
                file.truncate(0)
                part.begin(answer.headers)
            have, rest = part.size, answer.headers.get("Content-Length")
            with tqdm(
                desc=part.path.stem,
                initial=have,
                total=have + int(rest) if rest else None,
                unit="B",
                unit_scale=True,
                disable=None,
            ) as bar:
                while data := answer.raw.read1(CHUNK):
                    _write(file, data, part.path)
                    bar.update(len(data))

    def _read(self, address: str) -> bytes:
        pieces: list[bytes] = []
        self._unbroken(address, lambda: pieces.append(self._open(address).content))
        return pieces[0]

    def _open(self, address: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        """The response, with its body unread. Raises DownloadError without one."""
        try:
            answer = self._session.get(
                self.url + address, headers=headers, stream=True, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise self._failed(address, getattr(error.args[0], "reason", error)) from error
        if not answer.ok and answer.status_code != 416:
            raise self._failed(address, f"HTTP {answer.status_code}")
        return answer

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.headers.update(
            {"User-Agent": "batcomputer-training", "Accept-Encoding": "identity"}
        )
        session.verify = os.environ.get("SSL_CERT_FILE") or True
        patience = Patience(
            TRIES - 1,
            status_forcelist=_TRY_AGAIN,
            backoff_factor=self.pause,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=patience))
        return session

    def _unbroken(self, address: str, attempt: Callable[[], None]) -> None:
        """Retry a response that breaks off; the session retries one that does not begin."""
        problem: Exception | None = None
        for _ in range(TRIES):
            try:
                return attempt()
            except (requests.RequestException, HTTPError) as error:
                problem = error
        raise self._failed(address, problem) from problem

    def _failed(self, address: str, problem: object) -> DownloadError:
        return DownloadError(f"{self.url} does not give {address}: {problem} ({_GO_ON})")


class Patience(Retry):
    """Waits between two tries, as long as the site asks, up to LONGEST_WAIT."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds to wait; None for the usual wait. Raises DownloadError."""
        try:
            seconds = super().get_retry_after(response)
        except InvalidHeader:  # neither seconds nor a date
            return None
        if seconds and seconds > LONGEST_WAIT:
            raise DownloadError(
                f"the site answers HTTP {response.status}, and asks to wait more than "
                f"{LONGEST_WAIT} seconds ({_GO_ON})"
            )
        return seconds

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Print the reason, and wait."""
        last = self.history[-1]
        why = f"HTTP {last.status}" if last.status else str(last.error)
        tqdm.write(f"{last.url}: {why}; trying again", file=sys.stderr)
        super().sleep(response)


@dataclass(frozen=True)
class _Part:
    """The part of an archive that has arrived, with a file for the archive's ETag."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def _tag(self) -> Path:
        return self.path.with_name(f"{self.path.name}.tag")

    def wanted(self) -> dict[str, str]:
        """The headers that request the rest, or all of it if the archive has changed."""
        if not self.size:
            return {}
        tag = {"If-Range": self._tag.read_text()} if self._tag.exists() else {}
        return {"Range": f"bytes={self.size}-", **tag}

    def begin(self, headers: Mapping[str, str]) -> None:
        """Keep the archive's ETag."""
        tag = headers.get("ETag") or headers.get("Last-Modified") or ""
        if tag and not tag.startswith("W/"):  # a weak tag does not promise the same bytes
            self._tag.write_text(tag)
        else:
            self._tag.unlink(missing_ok=True)

    def complete(self, path: Path) -> None:
        move_into_place(self.path, path)
        self._tag.unlink(missing_ok=True)


def _write(file: IO[bytes], data: bytes, path: Path) -> None:
    """Raises DownloadError, which is not retried: a full disk stays full."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise DownloadError(f"{path} cannot be written: {error.strerror}") from error


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
