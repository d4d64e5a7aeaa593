"""Street-level files in the layout of data.police.uk, with a few rows each, and the real ones."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from training.street import HEADER

NO_SUSPECT = "Investigation complete; no suspect identified"
REPOSITORY = Path(__file__).parents[2]


def rows(*cases, month="2025-01", force="Kent Police"):
    """A header, and rows of (crime, outcome) cases."""
    made = [
        ["", month, force, force, "0.5", "51.2", "On or near Ffordd Gŵyr", "E01", "Ashford 001A",
         crime, outcome, ""]
        for crime, outcome in cases
    ]  # fmt: skip
    return [HEADER, *made]


def text(lines):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def write(folder: Path, lines, month="2025-01", force="kent") -> Path:
    """``folder/YYYY-MM/YYYY-MM-<force>-street.csv``."""
    path = folder / month / f"{month}-{force}-street.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(lines), encoding="utf-8")
    return path


def pack(folder: Path, archive: Path) -> Path:
    """Pack ``folder`` into an archive like the site's."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            out.write(path, path.relative_to(folder).as_posix())
    return archive


def find_real_archive() -> Path | None:
    """The archive of four real months of 2025 next to the repository, if it exists."""
    for parent in REPOSITORY.parents:
        archive = parent / "shared/data/police-2025-4-months.zip"
        if archive.exists():
            return archive
    return None


def real_archive() -> Path:
    """The same; skips the test if it does not exist."""
    archive = find_real_archive()
    if archive is None:
        pytest.skip("needs shared/data/police-2025-4-months.zip beside the repository")
    return archive
