"""Files of figures."""

import gzip

import pytest

from training.crime import FIGURES
from training.figures import Cell, FiguresError, read_figures, write_figures

pytestmark = pytest.mark.slow

FEW = {
    Cell("2025-01", "Dyfed-Powys Police", "Drugs", "Local resolution"): 3,
    Cell("2025-01", "Dyfed-Powys Police", "Drugs", ""): 1,
}


@pytest.mark.parametrize("name", ["figures.csv", "figures.csv.gz"])
def test_it_works(tmp_path, name):
    write_figures(tmp_path / name, FEW)
    assert read_figures(tmp_path / name) == FEW
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_a_spreadsheet_saved_is_read(tmp_path):
    write_figures(tmp_path / "figures.csv", FEW)
    saved = (tmp_path / "figures.csv").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "figures.csv").write_bytes(b"\xef\xbb\xbf" + saved + b"2025-01,Kent,Drugs,,0\r\n")
    assert read_figures(tmp_path / "figures.csv") == FEW


def test_what_is_compressed_is_known_by_its_bytes(tmp_path):
    write_figures(tmp_path / "figures.csv.gz", FEW)
    (tmp_path / "figures.csv.gz").rename(tmp_path / "figures.csv")
    assert read_figures(tmp_path / "figures.csv") == FEW


def test_the_same_figures_make_the_same_bytes(tmp_path):
    write_figures(tmp_path / "one.csv.gz", FEW)
    write_figures(tmp_path / "two.csv.gz", dict(reversed(FEW.items())))
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()


def test_the_committed_figures_are_those_of_2025():
    figures = read_figures(FIGURES)
    assert len(figures) == 46_367
    assert sum(figures.values()) == 4_015_457
    assert len({cell.month for cell in figures}) == 12
    assert len({cell.force for cell in figures}) == 41
    assert len({cell.crime for cell in figures}) == 14


PACKED = gzip.compress(b"month,force,crime,outcome,count\n2025-01,f,c,o,1\n")
BROKEN = {
    "no file": (None, "cannot be read"),
    "empty": (b"", "header"),
    "other header": (b"a,b\n1,2\n", "header"),
    "a column short": (b"month,force,crime,outcome,count\n2025-01,Kent,Drugs,3\n", "line 2"),
    "another order": (b"month,crime,force,outcome,count\n", "not 'month,crime,force"),
    "another separator": (b"month;force;crime;outcome;count\n", "not 'month;force;crime"),
    "with commas": (b'month,force,crime,outcome,count\n2025-01,f,c,o,"1,234"\n', "line 2: '1,234' is not a count"),  # noqa: E501
    "a fraction": (b"month,force,crime,outcome,count\n2025-01,f,c,o,3.5\n", "line 2: '3.5' is not"),
    "utf-16": ("month,force".encode("utf-16"), "must be UTF-8 text"),
    "no count": (b"month,force,crime,outcome,count\n2025-01,Kent,Drugs,,many\n", "line 2"),
    "below zero": (b"month,force,crime,outcome,count\n2025-01,Kent,Drugs,,-1\n", "line 2"),
    "beyond counting": (b"month,force,crime,outcome,count\n2025-01,f,c,o,1" + b"0" * 5000, "line 2"),  # noqa: E501
    "no month": (b"month,force,crime,outcome,count\n2025-13,f,c,o,1\n", "line 2: '2025-13' is not"),
    "no force": (b"month,force,crime,outcome,count\n2025-01,,c,o,1\n", "line 2: the force"),
    "twice": (b"month,force,crime,outcome,count\n2025-01,f,c,o,1\n2025-01,f,c,o,2\n", "line 3: 2025-01 / f / c / o is counted already in line 2"),  # noqa: E501
    "latin-1": ("month,force,crime,outcome,count\nm,Gŵyr,c,o,1\n".encode("cp1252", "replace")
                + b"\xff", "cannot be read"),
    "not compressed": (b"month", "cannot be read"),
    "damaged": (PACKED[:20] + b"\0\0\0\0" + PACKED[24:], "cannot be read"),
    "cut off": (PACKED[:-9], "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "said"), BROKEN.values(), ids=list(BROKEN))
def test_it_rejects_other_files(tmp_path, data, said, request):
    packed = request.node.callspec.id in {"not compressed", "damaged", "cut off"}
    path = tmp_path / ("figures.csv.gz" if packed else "figures.csv")
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(FiguresError, match=said) as error:
        read_figures(path)
    assert str(path) in str(error.value)
