"""Model cards: their facts are those of the models trained today."""

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import load_version
from tests import bundles
from tests.training.streets import REPOSITORY
from training import card, crime, titanic

CARDS = REPOSITORY / "docs/models"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "train"),
    [
        ("titanic", titanic.main),
        pytest.param("crime", crime.main, marks=pytest.mark.slow),
        pytest.param(
            "crime-outcomes",
            lambda folder: crime.main([*folder, "--outcomes"]),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_it_works(tmp_path, name, train):
    train([str(tmp_path)])
    current = (CARDS / f"{name}.md").read_text()
    version = tmp_path / name / "1.0.0"
    assert card.with_facts(current, load_version(version)) == current, (
        f"python -m training.card models/{name}/1.0.0 docs/models/{name}.md brings it up to date"
    )


def test_every_card_is_tested():
    assert {path.stem for path in CARDS.glob("*.md")} == {"crime", "crime-outcomes", "titanic"}


def test_it_rejects_a_version_whose_metadata_says_too_little(tmp_path):
    model = load_version(bundles.install(tmp_path, metadata=None))
    marks = f"{card.BEGIN}\n{card.END}"
    with pytest.raises(ArtifactError, match=r"metadata\.json of arkham 1\.0\.0 has no"):
        card.with_facts(marks, model)


def test_it_rejects_a_card_without_marks():
    with pytest.raises(ArtifactError, match="begin"):
        card.with_facts("# Model card\n", None)
