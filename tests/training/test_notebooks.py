"""The training notebooks: run from end to end, and committed with the outputs of their code."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from predictor.artifacts.version import load_version
from tests.training.streets import REPOSITORY
from training import titanic
from training.candidates import learn
from training.cells import by_caught, split_by_time, usable_cells
from training.crime import FIGURES
from training.figures import read_figures

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

from notebooks.refresh import RAN, digest  # noqa: E402 - needs the packages checked above

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


@pytest.mark.slow
def test_the_notebook_and_the_module_fit_the_same_model():
    """Its cells with only scikit-learn match training.candidates to the last bit."""
    caught = by_caught(usable_cells(read_figures(FIGURES)))
    before, after = split_by_time(caught)
    with threadpool_limits(1):
        shares = learn(before).shares(after)
        answers = {"histogram gradient boosting": shares}
        known = {"np": np, "pd": pd, "caught": caught, "after": after, "answers": answers}
        run_alone("train_crime", known)
    assert known["same"]
    assert known["error"] == pytest.approx(0.00433, abs=1e-5)

    known = {"read_people": titanic.read_people}
    run_alone("train_titanic", known)
    codes = titanic.read_people()[:, :-1]
    theirs = titanic.train().estimator.predict_proba(codes)
    assert np.array_equal(known["pipeline"].predict_proba(codes), theirs)


def run_alone(name, known):
    """Run the cells that need nothing of ``training``, with the names that cells before gave."""
    notebook = nbformat.read(REPOSITORY / f"notebooks/{name}.ipynb", as_version=4)
    alone = [cell for cell in notebook.cells if "alone" in cell.metadata.get("tags", [])]
    assert alone
    for cell in alone:
        assert "training" not in cell.source.replace("training/candidates.py", "")
        exec(cell.source, known)


def outputs_of(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def words_and_numbers(notebook):
    """The text of its outputs, without the random forest, which has fewer trees in the test."""
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
    for name in ("plots", "crime_metadata"):  # imported by the notebook, directly or not
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
