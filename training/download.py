"""``python -m training.download 2025-01..2025-12``: fetch street-level files of data.police.uk.

The site publishes archives, ``/data/archive/YYYY-MM.zip``, each holding the 36 months up to its
own. A download that was broken off goes on where it stopped; its MD5, where the site's list of
archives gives one, and the CRC of every file taken out of it are checked.
"""

import argparse
import hashlib
import http.client
import json
import re
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .street import STREET_FILE

SITE = "https://data.police.uk"
MONTHS_PER_ARCHIVE = 36
TRIES = 6
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
        listed = json.loads(self._read("/api/crimes-street-dates"))
        return sorted(entry["date"] for entry in listed)

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
        path, part = folder / archive, folder / f"{archive}.part"
        expected = self.md5(archive)
        if not path.exists():
            self._retrying(archive, lambda: self._append(f"/data/archive/{archive}", part))
            part.rename(path)
        if expected is not None and (actual := _md5(path)) != expected:
            path.unlink()
            raise DownloadError(
                f"{archive} arrived damaged: its MD5 is {actual}, {self.url} lists {expected}; "
                "start again"
            )
        return path

    def _append(self, address: str, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        with self._open(address, have) as answer, open(part, "ab") as file:
            if answer.status == 200:  # the whole file, whatever was asked for
                file.truncate(0)
                have = 0
            length = answer.headers["Content-Length"]
            total = None if length is None else have + int(length)
            with tqdm(desc=part.stem, initial=have, total=total, unit="B", unit_scale=True) as bar:
                while data := answer.read(CHUNK):
                    file.write(data)
                    bar.update(len(data))
                    have += len(data)
        if total is not None and have < total:
            raise http.client.IncompleteRead(b"", total - have)

    def _read(self, address: str) -> bytes:
        pieces: list[bytes] = []

        def read() -> None:
            with self._open(address) as answer:
                pieces.append(answer.read())

        self._retrying(address, read)
        return pieces[0]

    def _open(self, address: str, start: int = 0) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
            self.url + address, headers={"User-Agent": "batcomputer-training"}
        )
        if start:
            request.add_header("Range", f"bytes={start}-")
        return urllib.request.urlopen(request, timeout=60)  # noqa: S310

    def _retrying(self, what: str, attempt: Callable[[], None]) -> None:
        """Try several times, waiting longer each time, or as long as the site asks."""
        for number in range(1, TRIES + 1):
            try:
                attempt()
            except urllib.error.HTTPError as error:
                problem, wait = f"HTTP {error.code}", error.headers.get("Retry-After", "")
                if error.code == 416:  # nothing is left to send: the file is complete
                    return
                if error.code not in _TRY_AGAIN:
                    break
            except (OSError, http.client.HTTPException) as error:
                problem, wait = str(error) or type(error).__name__, ""
            else:
                return
            if number < TRIES:
                time.sleep(int(wait) if wait.isdecimal() else self.pause * 2 ** (number - 1))
        raise DownloadError(f"{self.url} does not give {what}: {problem}")


def download(first: str, last: str, folder: Path, site: Site) -> list[Path]:
    """Put the street-level files of the months into ``folder/YYYY-MM/``; skips months it has.

    Raises DownloadError when a month is not published or cannot be had.
    """
    missing = [month for month in _months(first, last) if not (folder / month).is_dir()]
    published = site.months() if missing else []
    if unknown := [month for month in missing if month not in published]:
        raise DownloadError(
            f"{unknown[0]} is not published; {site.url} has {published[0]} to {published[-1]}"
            if published
            else f"{site.url} lists no month at all"
        )
    folder.mkdir(parents=True, exist_ok=True)
    while missing:
        archive = f"{missing[-1]}.zip"
        path = site.fetch(archive, folder)
        inside = _months_before(missing[-1])
        with _reading(path) as opened:
            for month in [month for month in missing if month in inside]:
                _extract(opened, month, folder)
        path.unlink()
        missing = [month for month in missing if month not in inside]
    return [folder / month for month in _months(first, last)]


def _extract(archive: zipfile.ZipFile, month: str, folder: Path) -> None:
    members = [
        member
        for member in archive.infolist()
        if (found := STREET_FILE.fullmatch(member.filename.rpartition("/")[2]))
        and found["month"] == month
    ]
    if not members:
        raise DownloadError(f"{archive.filename} holds no street-level file of {month}")
    draft = Path(tempfile.mkdtemp(prefix=f".{month}-", dir=folder))
    try:
        for member in tqdm(members, desc=month, unit="file"):
            name = member.filename.rpartition("/")[2]
            with archive.open(member) as source, open(draft / name, "wb") as target:
                shutil.copyfileobj(source, target, CHUNK)
        draft.chmod(0o755)
        draft.rename(folder / month)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _reading(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        path.unlink()
        raise DownloadError(f"{path.name} arrived damaged: {error}; start again") from error


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _months(first: str, last: str) -> list[str]:
    start, end = _number(first), _number(last)
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, end + 1)]


def _months_before(last: str) -> set[str]:
    end = _number(last)
    return {
        f"{month // 12:04}-{month % 12 + 1:02}"
        for month in range(end - MONTHS_PER_ARCHIVE + 1, end + 1)
    }


def _number(month: str) -> int:
    year, _, of_year = month.partition("-")
    return int(year) * 12 + int(of_year) - 1


def _span(text: str) -> tuple[str, str]:
    first, _, last = text.partition("..")
    last = last or first
    month = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
    if not month.fullmatch(first) or not month.fullmatch(last) or first > last:
        raise argparse.ArgumentTypeError(f"{text!r} is not such as 2025-01..2025-12")
    return first, last


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.download", description=__doc__)
    parser.add_argument("months", type=_span, help="such as 2025-01..2025-12, or one month")
    parser.add_argument(
        "--output", type=Path, default=Path("downloads"), help="folder (default: %(default)s)"
    )
    parser.add_argument("--site", default=SITE, help="default: %(default)s")
    options = parser.parse_args(arguments)
    first, last = options.months
    try:
        folders = download(first, last, options.output, Site(options.site.rstrip("/")))
    except (DownloadError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"{len(folders)} months in {options.output}; next: python -m training.aggregate")


if __name__ == "__main__":
    main()
