"""python -m training.download: the street-level files, from a server like the site's."""

import subprocess
import sys

import pytest

from tests.training import streets
from tests.training.police_site import police_site
from training import download as program
from training.aggregate import aggregate
from training.crime import FIGURES
from training.download import DownloadError, Site, download
from training.figures import read_figures

MONTHS = ["2024-12", "2025-01", "2025-02"]


@pytest.fixture
def site(tmp_path):
    for month in MONTHS:
        lines = streets.rows(("Drugs", "Local resolution"), month=month)
        streets.write(tmp_path / "all", lines, month)
    (tmp_path / "all/2025-01/2025-01-kent-outcomes.csv").write_text("not wanted\n")
    archive = streets.pack(tmp_path / "all", tmp_path / "2025-02.zip")
    with police_site({"2025-02.zip": archive}, MONTHS) as server:
        yield server


def fetched(site, folder, first="2025-01", last="2025-02"):
    return download(first, last, folder, Site(site.url, pause=0))


def archive_requests(site):
    return [asked for path, asked in site.asked if path.startswith("/store/")]


def test_it_works(site, tmp_path, capsys):
    folder = tmp_path / "downloads"
    program.main(["2025-01..2025-02", "--output", str(folder), "--site", site.url])
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert files == [
        "2025-01", "2025-01/2025-01-kent-street.csv",
        "2025-02", "2025-02/2025-02-kent-street.csv",
    ]  # fmt: skip
    assert sum(aggregate([folder], progress=False).values()) == 2
    assert "2 months" in capsys.readouterr().out


def test_months_that_are_there_are_not_fetched_again(site, tmp_path):
    fetched(site, tmp_path / "downloads")
    fetched(site, tmp_path / "downloads")
    assert len(archive_requests(site)) == 1


def test_it_goes_on_where_it_stopped(site, tmp_path):
    site.trouble = ["cut", "cut"]
    fetched(site, tmp_path / "downloads")
    size = site.archives["2025-02.zip"].stat().st_size
    assert archive_requests(site) == [
        None, f"bytes={size // 2}-", f"bytes={size // 2 + (size - size // 2) // 2}-",
    ]  # fmt: skip


def test_it_starts_again_where_ranges_are_not_known(site, tmp_path):
    site.trouble, site.ranges = ["cut"], False
    assert len(fetched(site, tmp_path / "downloads")) == 2


def test_a_complete_part_is_taken(site, tmp_path):
    (tmp_path / "downloads").mkdir()
    part = tmp_path / "downloads/2025-02.zip.part"
    part.write_bytes(site.archives["2025-02.zip"].read_bytes())
    assert len(fetched(site, tmp_path / "downloads")) == 2


def test_it_tries_again_politely(site, tmp_path):
    site.trouble = [503, 429, 500]
    fetched(site, tmp_path / "downloads")
    assert len(archive_requests(site)) == 4


def test_it_gives_up_in_the_end(site, tmp_path):
    site.trouble = [503] * 9
    with pytest.raises(DownloadError, match=r"2025-02\.zip: HTTP 503"):
        fetched(site, tmp_path / "downloads")
    assert len(archive_requests(site)) == program.TRIES


def test_it_does_not_insist_on_what_is_refused(site, tmp_path):
    site.trouble = [403]
    with pytest.raises(DownloadError, match="HTTP 403"):
        fetched(site, tmp_path / "downloads")
    assert len(archive_requests(site)) == 1


def test_it_rejects_a_wrong_checksum(site, tmp_path):
    site.md5["2025-02.zip"] = "0" * 32
    with pytest.raises(DownloadError, match="MD5"):
        fetched(site, tmp_path / "downloads")
    assert not list((tmp_path / "downloads").iterdir())


def test_it_rejects_a_damaged_archive(site, tmp_path):
    data = bytearray(site.archives["2025-02.zip"].read_bytes())
    at = data.index(b"2025-01-kent-street.csv") + 40
    data[at : at + 8] = bytes(8)
    site.archives["2025-02.zip"].write_bytes(data)
    site.md5.clear()
    with pytest.raises(DownloadError, match="arrived damaged"):
        fetched(site, tmp_path / "downloads")
    assert not list((tmp_path / "downloads").iterdir())


def test_it_rejects_months_that_are_not_published(site, tmp_path):
    with pytest.raises(DownloadError, match=r"2025-03 is not published; .* has 2024-12 to 2025-02"):
        fetched(site, tmp_path / "downloads", last="2025-03")


def test_it_rejects_an_archive_without_the_month(site, tmp_path):
    site.months.insert(0, "2024-11")
    with pytest.raises(DownloadError, match="no street-level file of 2024-11"):
        fetched(site, tmp_path / "downloads", first="2024-11")


@pytest.mark.parametrize("months", ["2025", "2025-13", "2025-02..2025-01", "..", "2025-01-02"])
def test_it_rejects_what_is_no_span_of_months(months, capsys):
    with pytest.raises(SystemExit):
        program.main([months])
    assert "2025-01..2025-12" in capsys.readouterr().err


def test_it_says_when_the_site_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("training.download.time.sleep", lambda seconds: None)
    with pytest.raises(DownloadError, match="does not give"):
        download("2025-01", "2025-01", tmp_path, Site("http://127.0.0.1:9"))


@pytest.mark.slow
def test_real_files_give_the_committed_figures(tmp_path):
    archive = streets.real_archive()
    months = ["2025-01", "2025-04", "2025-07", "2025-10"]
    with police_site({"2025-10.zip": archive}, months) as site:
        site.trouble = ["cut"]
        subprocess.run(
            [sys.executable, "-m", "training.download", "2025-10", "--output", tmp_path,
             "--site", site.url],
            cwd=streets.REPOSITORY, check=True,
        )  # fmt: skip
    known = {c: n for c, n in read_figures(FIGURES).items() if c.month == "2025-10"}
    assert aggregate([tmp_path], progress=False) == known
