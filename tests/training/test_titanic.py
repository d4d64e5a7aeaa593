"""python -m training.titanic: the second model."""

import pytest

from predictor.artifacts.version import load_version
from training import titanic

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    titanic.main([str(folder)])
    return load_version(folder / "titanic/1.0.0")


def test_it_works(model):
    assert model.contract.flag_names == ["died", "survived"]
    assert model.contract.params() == {
        "class": ["1st", "2nd", "3rd", "Crew"],
        "sex": ["Female", "Male"],
        "age": ["Child", "Adult"],
    }
    women_first = {"class": "1st", "sex": "Female", "age": "Adult"}
    below_deck = {"class": "Crew", "sex": "Male", "age": "Adult"}
    rows = [model.encoder.encode(item) for item in (women_first, below_deck)]
    survived = [scores[1] for scores in model.score(rows)]
    assert survived == pytest.approx([140 / 144, 192 / 862], abs=0.03)


def test_the_table_counts_all_aboard():
    people = titanic.read_people()
    assert people.shape == (2201, 4)
    assert people[:, 3].sum() == 711


def test_it_is_better_than_a_guess(model):
    metrics = model.metadata["metrics"]
    assert metrics["log_loss"] < 0.5
    assert metrics["auc"] > 0.74
