"""Every estimator is saved, loaded, and served over HTTP, with the same answers as before."""

import numpy as np
import pytest
import sklearn

from scripts.estimators import PAGE
from tests import bundles
from tests.artifacts import zoo

pytestmark = pytest.mark.django_db


def served(models_dir, post, animal):
    bundles.install(
        models_dir, "zoo", "1", animal.estimator, animal.lookup, animal.flags, animal.metadata
    )
    response = post(animal.items)
    assert response.status_code == 200, response.json()
    answers = response.json()
    assert list(answers[0]) == animal.flags
    return np.array([[answer[flag] for flag in animal.flags] for answer in answers])


@pytest.mark.parametrize("name", ["LogisticRegression", "RandomForestClassifier", "Ridge", "SVC"])
def test_it_works(models_dir, post, name):
    animal = zoo.by_itself(name)
    scores = served(models_dir, post, animal)
    np.testing.assert_allclose(scores, animal.scores, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.names())
def test_every_estimator(models_dir, post, name):
    animal = zoo.by_itself(name)
    scores = served(models_dir, post, animal)
    np.testing.assert_allclose(scores, animal.scores, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.COMBINATIONS)
def test_every_combination(models_dir, post, name):
    animal = zoo.made(name, zoo.COMBINATIONS[name])
    scores = served(models_dir, post, animal)
    np.testing.assert_allclose(scores, animal.scores, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.REFUSED)
def test_it_rejects_what_holds_code_or_foreign_objects(models_dir, post, name):
    animal = zoo.made(name, zoo.REFUSED[name])
    bundles.install(models_dir, "zoo", "1", animal.estimator, animal.lookup, animal.flags,
                    animal.metadata)  # fmt: skip
    response = post(animal.items)
    assert response.status_code == 503
    assert "model.pkl asks for" in response.json()["detail"]


def test_the_table_in_the_docs_is_current():
    """Every estimator is in it, under the version that is pinned; the slow tests prove it."""
    page = PAGE.read_text()
    assert f"Made with scikit-learn {sklearn.__version__}." in page
    for name in (*zoo.names(), *zoo.COMBINATIONS):
        line = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
        assert line.endswith("| yes |"), line
    for name in zoo.REFUSED:
        line = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
        assert "| no: model.pkl asks for" in line
