"""data.police.uk as a place to download from: asked politely, and gone on with after a break.

A download that was broken off goes on where it stopped, unless the archive is another by now (its
ETag says so). Trouble of the site, or on the way to it, is met by trying again after a while: as
long as the site asks for, within reason.
"""

import hashlib
import http.client
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from predictor.artifacts.durable import move_into_place
from predictor.artifacts.untrusted import load_json

SITE = "https://data.police.uk"
TRIES = 6
LONGEST_WAIT = 600  # seconds; a site that asks for more is asked again by hand
CHUNK = 1 << 20  # bytes
_TRY_AGAIN = {408, 429, 500, 502, 503, 504}


class DownloadError(RuntimeError):
    """The files cannot be had; the message says which and why."""


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
        """The MD5 that the list of archives gives for ``archive``, if it gives one."""
        page = self._read("/data/archive/").decode(errors="replace")
        for row in re.split(r"<(?:tr|li|p)\b", page):
            digests = re.findall(r"\b[0-9a-f]{32}\b", row)
            if archive in row and len(digests) == 1:
                return str(digests[0])
        return None

    def fetch(self, archive: str, folder: Path) -> Path:
        """Download ``archive`` into ``folder``, going on with what is there of it.

        Raises DownloadError when the site does not give it, or what it gives is damaged.
        """
        path, part = folder / archive, _Part(folder / f"{archive}.part")
        expected = self.md5(archive)
        if not path.exists():
            address = f"/data/archive/{archive}"
            with open(part.path, "ab", buffering=0) as file:
                self._retrying(archive, lambda: self._append(address, part, file))
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
            if answer.status == 200:  # the whole file, whatever was asked for
                file.truncate(0)
                part.begin(answer.headers)
            have = part.size
            length = answer.headers["Content-Length"]
            total = None if length is None else have + int(length)
            with tqdm(
                desc=part.path.stem,
                initial=have,
                total=total,
                unit="B",
                unit_scale=True,
                disable=None,
            ) as bar:
                while data := answer.read(CHUNK):
                    _write(file, data, part.path)
                    bar.update(len(data))
        if total is not None and part.size < total:
            raise http.client.IncompleteRead(b"", total - part.size)

    def _read(self, address: str) -> bytes:
        pieces: list[bytes] = []

        def read() -> None:
            with self._open(address) as answer:
                pieces.append(answer.read())

        self._retrying(address, read)
        return pieces[0]

    def _open(self, address: str, headers: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
            self.url + address, headers={"User-Agent": "batcomputer-training", **(headers or {})}
        )
        return urllib.request.urlopen(request, timeout=60)  # noqa: S310

    def _retrying(self, what: str, attempt: Callable[[], None]) -> None:
        """Try several times, waiting longer each time, or as long as the site asks."""
        for number in range(1, TRIES + 1):
            asked = None
            try:
                attempt()
            except urllib.error.HTTPError as error:
                problem, asked = f"HTTP {error.code}", error.headers["Retry-After"]
                if error.code == 416:  # nothing is left to send: the file is complete
                    return
                if error.code not in _TRY_AGAIN:
                    break
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            else:
                return
            wait = _seconds(asked, self.pause * 2 ** (number - 1))
            if wait > LONGEST_WAIT:
                problem += f", and asks to wait {wait:,.0f} seconds"
                break
            if number < TRIES:
                tqdm.write(f"{what}: {problem}; again in {wait:.0f} s", file=sys.stderr)
                time.sleep(wait)
        raise DownloadError(
            f"{self.url} does not give {what}: {problem} (the same command goes on from here)"
        )


@dataclass(frozen=True)
class _Part:
    """What has arrived of an archive, and beside it the tag of the archive it is a part of."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def _tag(self) -> Path:
        return self.path.with_name(f"{self.path.name}.tag")

    def wanted(self) -> dict[str, str]:
        """The headers that ask for the rest; for all of it, when the archive is another by now."""
        if not self.size:
            return {}
        tag = {"If-Range": self._tag.read_text()} if self._tag.exists() else {}
        return {"Range": f"bytes={self.size}-", **tag}

    def begin(self, headers: Any) -> None:
        """Remember which archive this is, in the site's words."""
        tag = headers["ETag"] or headers["Last-Modified"] or ""
        if tag and not tag.startswith("W/"):  # a weak tag does not promise the same bytes
            self._tag.write_text(tag)
        else:
            self._tag.unlink(missing_ok=True)

    def complete(self, path: Path) -> None:
        move_into_place(self.path, path)
        self._tag.unlink(missing_ok=True)


def _write(file: IO[bytes], data: bytes, path: Path) -> None:
    """Raises DownloadError, since trying again helps against the site, not against a full disk."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise DownloadError(f"{path} cannot be written: {error.strerror}") from error


def _seconds(asked: str | None, usual: float) -> float:
    """What a ``Retry-After`` asks for, in seconds or as a date; ``usual`` when it asks nothing."""
    if asked is None:
        return usual
    if asked.isdecimal():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except ValueError:
        return usual


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
