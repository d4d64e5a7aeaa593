"""python -m training.aggregate: from street-level files to figures."""

import signal
import subprocess
import sys
import zipfile

import pytest

from tests.training import streets
from tests.training.streets import NO_SUSPECT, REPOSITORY
from training import aggregate as program
from training.aggregate import aggregate
from training.crime import FIGURES
from training.figures import Cell, read_figures
from training.street import StreetFileError

DRUGS = ("Drugs", "Local resolution")
BURGLARY = ("Burglary", NO_SUSPECT)


def counted(*paths):
    return dict(aggregate(paths, progress=False))


@pytest.fixture
def folder(tmp_path):
    streets.write(tmp_path / "in", streets.rows(DRUGS, BURGLARY, DRUGS))
    february = streets.rows(DRUGS, month="2025-02", force="Gwent Police")
    streets.write(tmp_path / "in", february, "2025-02", "gwent")
    (tmp_path / "in/2025-02/2025-02-gwent-outcomes.csv").write_text("something else\n")
    return tmp_path / "in"


EXPECTED = {
    Cell("2025-01", "Kent Police", *DRUGS): 2,
    Cell("2025-01", "Kent Police", *BURGLARY): 1,
    Cell("2025-02", "Gwent Police", *DRUGS): 1,
}


def test_it_works(folder, tmp_path, capsys):
    output = tmp_path / "figures.csv.gz"
    program.main([str(folder), "--output", str(output)])
    assert read_figures(output) == EXPECTED
    assert "4 crimes" in capsys.readouterr().out


def test_folders_archives_and_files_count_the_same(folder, tmp_path):
    archive = streets.pack(folder, tmp_path / "2025-02.zip")
    assert counted(folder) == counted(archive) == counted(*folder.rglob("*-street.csv")) == EXPECTED


def test_a_byte_order_mark_is_no_harm(folder):
    path = next(folder.rglob("*kent*"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert counted(folder) == EXPECTED


def test_line_ends_of_windows_are_no_harm(folder):
    path = next(folder.rglob("*kent*"))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert counted(folder) == EXPECTED


def test_it_follows_links(folder, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links/2025-01").symlink_to(folder / "2025-01")
    assert sum(counted(tmp_path / "links").values()) == 3


def test_it_leaves_half_written_folders_out(folder):
    (folder / "2025-02").rename(folder / ".2025-02-draft")
    assert {cell.month for cell in counted(folder)} == {"2025-01"}


def test_archives_packed_on_windows_count_the_same(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "2025-02.ZIP", "w") as out:
        out.writestr("2025-01/", "")
        for path in folder.rglob("*.csv"):
            out.writestr(path.relative_to(folder).as_posix().replace("/", "\\"), path.read_bytes())
    assert counted(tmp_path / "2025-02.ZIP") == EXPECTED


def test_it_takes_files_of_2018(tmp_path):
    outcomes = (
        "Offender sent to prison", "Offender given suspended prison sentence",
        "Offender given community sentence", "Offender fined",
        "Offender given conditional discharge", "Offender given absolute discharge",
        "Offender ordered to pay compensation", "Offender deprived of property",
        "Offender otherwise dealt with", "Defendant sent to Crown Court", "Suspect charged",
        "Suspect charged as part of another case", "Defendant found not guilty",
        "Court case unable to proceed", "Under investigation",
    )  # fmt: skip
    lines = streets.rows(*(("Robbery", outcome) for outcome in outcomes), month="2018-12")
    path = streets.write(tmp_path, lines, "2018-12")
    assert {cell.outcome for cell in counted(path)} == set(outcomes)


def test_compare_tells_what_differs(folder, tmp_path, capsys):
    output, known = tmp_path / "figures.csv", tmp_path / "known.csv"
    program.main([str(folder), "--output", str(known)])
    program.main([str(folder), "--output", str(output), "--compare", str(known)])
    assert "2025-01, 2025-02 equal those" in capsys.readouterr().out
    known.write_text(known.read_text().replace("Drugs,Local resolution,2", "Drugs,,2"))
    with pytest.raises(SystemExit) as stop:
        program.main([str(folder), "--output", str(output), "--compare", str(known)])
    assert "2025-01 / Kent Police / Drugs / : 0 here, 2 there" in str(stop.value)


def broken(change):
    """A change to the text of a good file, its line 3 being the second crime."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


BROKEN = {
    "unknown outcome": (broken(lambda d: d.replace(NO_SUSPECT.encode(), b"Escaped")), 3, "Escaped"),
    "wrong header": (broken(lambda d: d.replace(b"Crime type", b"Type")), 1, "header"),
    "columns swapped": (broken(lambda d: d.replace(b"Reported by,Falls within", b"Falls within,Reported by")), 1, "column 3 of the header is 'Falls within' instead of 'Reported by'"),  # noqa: E501
    "semicolons": (broken(lambda d: d.replace(b",", b";")), 1, "header has 1 columns"),
    "empty": (broken(lambda d: b""), 1, "the file is empty"),
    "UTF-16": (broken(lambda d: d.decode().encode("utf-16")), 1, "UTF-8"),
    "zero bytes": (broken(lambda d: d.replace(b"Burglary", b"Burg\0ary")), 3, "UTF-8"),
    "control character": (broken(lambda d: d.replace(b"Burglary", b"Burg\x07ary")), 3, "type of crime"),  # noqa: E501
    "cut line": (broken(lambda d: d[: d.index(b"Investigation")]), 3, "columns"),
    "blank line": (broken(lambda d: d.replace(b"\n", b"\n\n")), 2, "columns"),
    "a column more": (broken(lambda d: d.replace(b"identified,", b"identified,,")), 3, "columns"),
    "not UTF-8": (broken(lambda d: d.replace("ŵ".encode(), b"w", 1).replace("ŵ".encode(), b"\xf4", 1)), 3, "UTF-8"),  # noqa: E501
    "other month": (broken(lambda d: d.replace(b"2025-01", b"2025-02", 2).replace(b"2025-02", b"2025-01", 1)), 3, "2025-02"),  # noqa: E501
    "no month": (broken(lambda d: d.replace(b"2025-01", b"2025-13")), 2, "2025-13"),
    "no force": (broken(lambda d: d.replace(b"Kent Police", b"")), 2, "force"),
    "open quote": (broken(lambda d: d.replace(b",Burglary", b',"Burglary')), 3, "not CSV (unexpected end"),  # noqa: E501
    "quote within": (broken(lambda d: d.replace(b",Burglary", b',"Burg"lary')), 3, "not CSV"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "line", "said"), BROKEN.values(), ids=list(BROKEN))
def test_it_rejects_a_broken_file(folder, tmp_path, damage, line, said):
    path = next(folder.rglob("*kent*"))
    damage(path)
    output = tmp_path / "out/figures.csv"
    with pytest.raises(SystemExit) as stop:
        program.main([str(folder), "--output", str(output)])
    message = str(stop.value)
    assert f"{path}, line {line}: " in message
    assert said in message
    assert not output.parent.exists()


def test_it_rejects_a_broken_archive(folder, tmp_path):
    archive = streets.pack(folder, tmp_path / "2025-02.zip")
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) // 2])
    with pytest.raises(StreetFileError, match=r"2025-02\.zip cannot be read"):
        counted(archive)
    at = data.index(b"2025-01-kent") + 40
    archive.write_bytes(data[:at] + bytes(8) + data[at + 8 :])
    with pytest.raises(StreetFileError, match=r"2025-01-kent-street\.csv cannot be read"):
        counted(archive)


def test_it_rejects_an_archive_with_a_password(folder, tmp_path):
    archive = streets.pack(folder, tmp_path / "2025-02.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as packed:
        local = packed.getinfo("2025-01/2025-01-kent-street.csv").header_offset
    central = data.index(b"2025-01/2025-01-kent", local + 100) - 46
    data[local + 6] |= 1  # the flag "encrypted", in both places where it is
    data[central + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(
        StreetFileError, match=r"2025-01-kent-street\.csv cannot be read: .*password"
    ):
        counted(archive)


def test_it_rejects_an_unknown_compression(folder, tmp_path):
    archive = streets.pack(folder, tmp_path / "2025-02.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as packed:
        local = packed.getinfo("2025-01/2025-01-kent-street.csv").header_offset
    central = data.index(b"2025-01/2025-01-kent", local + 100) - 46
    data[local + 8] = data[central + 10] = 9  # Deflate64, of large archives made on Windows
    archive.write_bytes(data)
    with pytest.raises(StreetFileError, match=r"kent-street\.csv cannot be read: .*compression"):
        counted(archive)


def test_it_rejects_the_copy_of_a_file_under_another_name(folder):
    path = next(folder.rglob("*kent*"))
    path.with_name("2025-01-kent-copy-street.csv").write_bytes(path.read_bytes())
    with pytest.raises(StreetFileError, match="both hold the crimes of Kent Police in 2025-01"):
        counted(folder)


def test_it_rejects_the_same_month_twice(folder, tmp_path):
    archive = streets.pack(folder, tmp_path / "2025-02.zip")
    with pytest.raises(StreetFileError, match="are the same"):
        counted(folder, archive)


def test_it_rejects_a_path_without_files(tmp_path):
    with pytest.raises(StreetFileError, match="there is no file or folder"):
        counted(tmp_path / "absent.csv")
    with pytest.raises(StreetFileError, match="holds no file"):
        counted(tmp_path)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(StreetFileError, match="holds no file"):
        counted(tmp_path / "empty.zip")


def test_it_rejects_a_path_it_cannot_read(folder, monkeypatch):
    def refuse(place):
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr("training.street.os.scandir", refuse)
    with pytest.raises(StreetFileError, match="in cannot be read: Permission denied"):
        counted(folder)


def test_it_rejects_a_link_to_nowhere(folder):
    (folder / "2025-03-kent-street.csv").symlink_to(folder / "gone.csv")
    with pytest.raises(StreetFileError, match=r"2025-03-kent-street\.csv cannot be read"):
        counted(folder)


@pytest.mark.parametrize(
    ("output", "said"),
    [(".", "is a folder"), ("in/2025-01/2025-01-kent-street.csv/x.csv", "nothing can be written")],
)
def test_it_says_before_counting_where_it_cannot_write(folder, tmp_path, monkeypatch, output, said):
    monkeypatch.setattr(program, "aggregate", None)  # a call would fail
    with pytest.raises(SystemExit, match=said):
        program.main([str(folder), "--output", str(tmp_path / output)])


def test_a_full_disk_leaves_the_old_figures(folder, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    output = tmp_path / "figures.csv"
    output.write_text("old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SystemExit, match=r"figures\.csv: cannot be written: No space left"):
        program.main([str(folder), "--output", str(output)])
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.csv", "in"]


@pytest.fixture
def interruptible():
    """A shell has its background jobs ignore the interrupt, and so the tests that run in one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_writing_it_leaves_nothing(folder, tmp_path, monkeypatch, capsys, number):
    monkeypatch.setattr("os.fsync", lambda handle: signal.raise_signal(number))
    with pytest.raises(SystemExit) as stop:
        program.main([str(folder), "--output", str(tmp_path / "figures.csv")])
    assert stop.value.code == 130
    assert "stopped" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.slow
def test_the_real_files_give_the_committed_figures(tmp_path):
    archive = streets.real_archive()
    run = subprocess.run(
        [sys.executable, "-m", "training.aggregate", archive,
         "--output", tmp_path / "figures.csv.gz", "--compare", FIGURES],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:] + run.stdout
    assert "1,348,961 crimes" in run.stdout
    assert "All figures of 2025-01, 2025-04, 2025-07, 2025-10 equal those" in run.stdout
