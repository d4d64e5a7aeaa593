"""python -m training.download: the street-level files, from a server like the site's."""

import hashlib
import subprocess
import sys

import pytest

from tests.training import streets
from tests.training.police_site import police_site
from training import download as program
from training import site as site_module
from training.aggregate import aggregate
from training.crime import FIGURES
from training.download import download
from training.figures import read_figures
from training.site import DownloadError, Site

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


def replace_archive(site, tmp_path):
    """Replace an archive, as the site does when it publishes a month again."""
    for path in (tmp_path / "all").rglob("*-street.csv"):
        path.write_text(path.read_text() * 20)
    archive = streets.pack(tmp_path / "all", tmp_path / "again.zip")
    site.archives["2025-02.zip"] = archive
    site.md5["2025-02.zip"] = hashlib.md5(archive.read_bytes()).hexdigest()


def broken_off(site, folder):
    site.trouble = ["cut", 403]
    with pytest.raises(DownloadError):
        fetched(site, folder)


def test_it_starts_again_when_the_archive_is_another_by_now(site, tmp_path):
    broken_off(site, tmp_path / "downloads")
    replace_archive(site, tmp_path)
    assert len(fetched(site, tmp_path / "downloads")) == 2
    assert archive_requests(site)[-1].startswith("bytes=")
    files = sorted(path.name for path in (tmp_path / "downloads").iterdir())
    assert files == ["2025-01", "2025-02"]


def test_without_tags_another_archive_is_noticed_in_the_end(site, tmp_path):
    site.tags = False
    broken_off(site, tmp_path / "downloads")
    replace_archive(site, tmp_path)
    with pytest.raises(DownloadError, match="arrived damaged"):
        fetched(site, tmp_path / "downloads")
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


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ("7", [7]),
        ("Wed, 25 Nov 2026 12:00:09 GMT", [9]),
        ("Wed, 25 Nov 2026 11:00:00 GMT", []),  # at once, since it is over
        ("soon", []),  # the first try again comes at once where nothing is asked
    ],
)
def test_it_waits_as_long_as_the_site_asks(site, tmp_path, monkeypatch, asked, waits):
    waited = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    monkeypatch.setattr("urllib3.util.retry.time.time", lambda: 1795608000.0)  # 12:00:00
    site.trouble, site.retry_after = [429], asked
    download("2025-01", "2025-02", tmp_path / "downloads", Site(site.url, pause=2))
    assert waited == waits


def test_it_waits_longer_each_time(site, tmp_path, monkeypatch, capsys):
    waited = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    site.trouble = [503, 502, 500, 504]
    download("2025-01", "2025-02", tmp_path / "downloads", Site(site.url, pause=2))
    assert waited == [4, 8, 16]
    assert capsys.readouterr().err.count("2025-02.zip: HTTP 50") == 4


def test_it_does_not_wait_for_hours(site, tmp_path):
    site.trouble, site.retry_after = [503], "86400"
    with pytest.raises(DownloadError, match="HTTP 503, and asks to wait more than 600 seconds"):
        fetched(site, tmp_path / "downloads")


def test_a_full_disk_is_no_trouble_of_the_site(site, tmp_path, monkeypatch):
    def full(file, data, path):
        class Full:
            def write(self, data):
                raise OSError(28, "No space left on device")

        write(Full(), data, path)

    write = site_module._write
    monkeypatch.setattr(site_module, "_write", full)
    with pytest.raises(DownloadError, match=r"2025-02\.zip\.part cannot be written: No space left"):
        fetched(site, tmp_path / "downloads")
    assert len(archive_requests(site)) == 1


def test_a_disk_that_fills_up_while_unpacking_leaves_no_month(site, tmp_path, monkeypatch):
    def full(source, target, length):
        target.write(b"Crime ID,")
        raise OSError(28, "No space left on device")

    folder = tmp_path / "downloads"
    monkeypatch.setattr("training.download.shutil.copyfileobj", full)
    with pytest.raises(SystemExit, match="2025-01: No space left on device"):
        program.main(["2025-01..2025-02", "--output", str(folder), "--site", site.url])
    assert [path.name for path in folder.iterdir()] == ["2025-02.zip"]
    monkeypatch.undo()
    assert len(fetched(site, folder)) == 2
    assert len(archive_requests(site)) == 1


def test_what_a_lost_machine_left_is_cleared_away(site, tmp_path):
    folder = tmp_path / "downloads"
    (folder / ".2025-01-half").mkdir(parents=True)
    (folder / ".2025-01-half/2025-01-kent-street.csv").write_text("Crime")
    (folder / "2025-02").mkdir()  # by hand, and empty: not yet there
    fetched(site, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["2025-01", "2025-02"]
    assert sum(aggregate([folder], progress=False).values()) == 2


def test_it_gives_up_in_the_end(site, tmp_path):
    site.trouble = [503] * 9
    with pytest.raises(DownloadError, match=r"2025-02\.zip: HTTP 503"):
        fetched(site, tmp_path / "downloads")
    assert len(archive_requests(site)) == site_module.TRIES


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


@pytest.mark.parametrize("answer", ["<html>Down for maintenance</html>", "{}", "[3]", '[{"a": 1}]'])
def test_it_rejects_a_list_of_months_that_is_none(site, tmp_path, answer):
    site.api = answer
    with pytest.raises(DownloadError, match="lists no month"):
        fetched(site, tmp_path / "downloads")


def test_it_rejects_an_archive_that_is_not_there(site, tmp_path):
    site.archives.clear()
    with pytest.raises(DownloadError, match=r"2025-02\.zip: HTTP 404"):
        fetched(site, tmp_path / "downloads")


def test_it_rejects_an_archive_that_is_none(site, tmp_path):
    site.archives["2025-02.zip"].write_text("<html>Down for maintenance</html>")
    site.md5.clear()
    with pytest.raises(DownloadError, match="arrived damaged"):
        fetched(site, tmp_path / "downloads")


def test_it_rejects_months_that_are_not_published(site, tmp_path):
    with pytest.raises(DownloadError, match=r"2025-03 is not published; .* has 2024-12 to 2025-02"):
        fetched(site, tmp_path / "downloads", last="2025-03")


def test_it_rejects_an_archive_without_the_month(site, tmp_path):
    site.api = site.api.replace("[", '[{"date": "2024-11"}, ')
    with pytest.raises(DownloadError, match="no street-level file of 2024-11"):
        fetched(site, tmp_path / "downloads", first="2024-11")


@pytest.mark.parametrize("months", ["2025", "2025-13", "2025-02..2025-01", "..", "2025-01-02"])
def test_it_rejects_what_is_no_span_of_months(months, capsys):
    with pytest.raises(SystemExit):
        program.main([months])
    assert "2025-01..2025-12" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["data.police.uk", "file:///etc/passwd", "https://"])
def test_it_rejects_what_is_no_site(address, capsys):
    with pytest.raises(SystemExit):
        program.main(["2025-01", "--site", address])
    assert f"{address!r} is not such as https://data.police.uk" in capsys.readouterr().err


def test_it_says_when_the_site_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda seconds: None)
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
