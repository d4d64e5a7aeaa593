"""``python -m training.download 2025-01..2025-12``: fetch street-level files of data.police.uk.

The site publishes archives, ``/data/archive/YYYY-MM.zip``, each holding the 36 months up to its
own. An interrupted download resumes where it stopped. Its MD5, if the site lists one, and the CRC
of every extracted file are checked. An archive takes 1 to 2 GB on disk until the wanted months are
extracted.
"""

import argparse
import lzma
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from predictor.artifacts.durable import move_into_place

from .ending import one_sentence
from .site import CHUNK, SITE, DownloadError, Site
from .street import STREET_FILE, open_member
from .usage import command_line

MONTHS_PER_ARCHIVE = 36


def download(first: str, last: str, folder: Path, site: Site) -> list[Path]:
    """Put the street-level files of the months into ``folder/YYYY-MM/``; skips existing months.

    Raises DownloadError when a month is not published or cannot be downloaded.
    """
    missing = [month for month in _months(first, last) if not _is_there(folder / month)]
    if missing:
        _check_published(missing, site)
    folder.mkdir(parents=True, exist_ok=True)
    while missing:
        missing = _without_newest(missing, folder, site)
    return [folder / month for month in _months(first, last)]


def _without_newest(missing: list[str], folder: Path, site: Site) -> list[str]:
    """Extract the last month's archive into ``folder``; returns the months still missing."""
    path = site.fetch(f"{missing[-1]}.zip", folder)
    inside = _months_before(missing[-1])
    with _reading(path) as archive:
        for month in missing:
            if month in inside:
                _extract(archive, month, folder)
    path.unlink()
    return [month for month in missing if month not in inside]


def _check_published(months: list[str], site: Site) -> None:
    published = site.months()
    if not published:
        raise DownloadError(f"{site.url} lists no month at all")
    if unknown := [month for month in months if month not in published]:
        raise DownloadError(
            f"{unknown[0]} is not published; {site.url} has {published[0]} to {published[-1]}"
        )


def _is_there(month: Path) -> bool:
    return any(month.glob(f"{month.name}-*-street.csv"))


def _extract(archive: zipfile.ZipFile, month: str, folder: Path) -> None:
    members = [
        member
        for member in archive.infolist()
        if (found := STREET_FILE.fullmatch(member.filename.rpartition("/")[2]))
        and found["month"] == month
    ]
    if not members:
        raise DownloadError(f"{archive.filename} holds no street-level file of {month}")
    for left in folder.glob(f".{month}-*"):  # left by a power cut
        shutil.rmtree(left)
    draft = Path(tempfile.mkdtemp(prefix=f".{month}-", dir=folder))
    try:
        for member in tqdm(members, desc=month, unit="file", disable=None):
            name = member.filename.rpartition("/")[2]
            with open_member(archive, member) as source, open(draft / name, "wb") as target:
                shutil.copyfileobj(source, target, CHUNK)
        draft.chmod(0o755)
        move_into_place(draft, folder / month)
    except OSError as error:  # the error of a full disk names no file
        raise OSError(error.errno, error.strerror, str(folder / month)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _reading(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        path.unlink()
        raise DownloadError(f"{path.name} arrived damaged: {error}; start again") from error


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


def _site(text: str) -> Site:
    if not re.match(r"https?://[^/]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not such as {SITE}")
    return Site(text.rstrip("/"))


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.download", __doc__)
    parser.add_argument("months", type=_span, help="such as 2025-01..2025-12, or one month")
    parser.add_argument(
        "--output", type=Path, default=Path("downloads"), help="folder (default: %(default)s)"
    )
    parser.add_argument("--site", type=_site, default=SITE, help="default: %(default)s")
    options = parser.parse_args(arguments)
    first, last = options.months
    with one_sentence(DownloadError):
        folders = download(first, last, options.output, options.site)
    print(
        f"{len(folders)} months in {options.output}; "
        f"next: python -m training.aggregate {options.output}"
    )


if __name__ == "__main__":
    main()
