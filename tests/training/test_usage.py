"""``--help`` of the training programs."""

import importlib

import pytest

PROGRAMS = ["aggregate", "benchmark", "card", "crime", "download", "publish", "titanic"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_reads_as_prose(name, capsys):
    program = importlib.import_module(f"training.{name}")
    with pytest.raises(SystemExit) as stop:
        program.main(["--help"])
    assert stop.value.code == 0
    usage, description = capsys.readouterr().out.split("\n\n")[:2]
    assert usage.startswith(f"usage: python -m training.{name} ")
    assert description[0].isupper()
    assert "``" not in description
