"""The training notebooks: run from end to end, and committed with the outputs of their code."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from predictor.artifacts.version import load_version
from tests.training.streets import REPOSITORY

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

from notebooks.refresh import RAN, digest  # noqa: E402 - it needs what is checked above

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("notebook", "parameters"),
    [("train_crime", ["-p", "TREES", "2"]), ("train_titanic", [])],
)
def test_it_works(tmp_path, notebook, parameters):
    pytest.importorskip("papermill")
    run = subprocess.run(
        [sys.executable, "-m", "papermill", f"notebooks/{notebook}.ipynb", tmp_path / "ran.ipynb",
         "--cwd", "notebooks", "--no-progress-bar", "-p", "MODELS", tmp_path, *parameters],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    model = notebook.removeprefix("train_")
    assert load_version(tmp_path / model / "1.0.0").name == model
    committed = nbformat.read(REPOSITORY / f"notebooks/{notebook}.ipynb", as_version=4)
    ran = nbformat.read(tmp_path / "ran.ipynb", as_version=4)
    said, says = words_and_numbers(committed), words_and_numbers(ran)
    assert says[0] == said[0]
    assert says[1] == pytest.approx(said[1], rel=0.005, abs=2e-5)


def outputs_of(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def words_and_numbers(notebook):
    """What its outputs say, but for the random forest, which the test gives fewer trees."""
    texts = [each.get("text") or each["data"]["text/plain"] for each in outputs_of(notebook)]
    lines = [line for text in texts for line in text.splitlines() if "random forest" not in line]
    pieces = re.split(r"(\d[\d,]*(?:\.\d+)?)", " ".join(" ".join(lines).split()))
    return pieces[::2], [float(number.replace(",", "")) for number in pieces[1::2]]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_outputs_are_no_older_than_code_and_data(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.get(RAN) == digest(notebook), "run python notebooks/refresh.py"
    outputs = outputs_of(notebook)
    assert outputs
    assert not [each for each in outputs if each.output_type == "error"]
    assert not [each for each in outputs if each.get("name") == "stderr"]
    assert str(REPOSITORY) not in path.read_text()


def test_code_behind_a_notebook_is_part_of_its_digest(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "training", tmp_path / "training")
    notebook = nbformat.read(REPOSITORY / "notebooks/train_crime.ipynb", as_version=4)
    before = digest(notebook)
    monkeypatch.setattr("notebooks.refresh.TRAINING", tmp_path / "training")
    assert digest(notebook) == before
    for name in ("plots", "crime_metadata"):  # imported by the notebook, and by what it imports
        with open(tmp_path / f"training/{name}.py", "a") as module:
            module.write("# changed\n")
        assert digest(notebook) != before
        before = digest(notebook)
    with open(tmp_path / "training/download.py", "a") as module:
        module.write("# changed\n")
    assert digest(notebook) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_parameters_stand_in_one_tagged_cell(path):
    cells = json.loads(path.read_text())["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
