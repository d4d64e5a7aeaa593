"""The training notebooks: run from end to end, and committed with the outputs of their code."""

import json
import os
import subprocess
import sys

import pytest

from predictor.artifacts.version import load_version
from tests.training.streets import REPOSITORY

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

from notebooks.refresh import RAN, code_digest  # noqa: E402 - it needs what is checked above

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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_outputs_are_those_of_its_code(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.get(RAN) == code_digest(notebook), "run python notebooks/refresh.py"
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error"]
    assert str(REPOSITORY) not in path.read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_parameters_stand_in_one_tagged_cell(path):
    cells = json.loads(path.read_text())["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
