"""Model cards: their facts are those of the models trained today."""

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import load_version
from tests import bundles
from tests.training.streets import REPOSITORY
from tests.training.trained import COMMANDS
from training import card

CARDS = REPOSITORY / "docs/models"


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_it_works(trained, name):
    current = (CARDS / f"{name}.md").read_text()
    assert card.with_facts(current, load_version(trained(name))) == current, (
        f"python -m training.card models/{name}/1.0.0 docs/models/{name}.md brings it up to date"
    )


def test_every_card_is_tested():
    assert {path.stem for path in CARDS.glob("*.md")} == COMMANDS.keys()


def test_it_says_who_wrote_a_refused_version_and_why(tmp_path):
    verdict = {"result": "refused", "checks": [], "forced": {"by": "Alfred", "reason": "a drill"}}
    said = {"limits": [], "data": {}, "metrics": {}, "training": {}, "verdict": verdict}
    model = load_version(bundles.install(tmp_path, metadata={**bundles.METADATA, **said}))
    title = "## Verdict: refused, written by force of Alfred: a drill\n"
    assert title in card.facts(model)


def test_it_rejects_a_version_whose_metadata_says_too_little(tmp_path):
    model = load_version(bundles.install(tmp_path, metadata=None))
    marks = f"{card.BEGIN}\n{card.END}"
    with pytest.raises(ArtifactError, match=r"metadata\.json of arkham 1\.0\.0 has no"):
        card.with_facts(marks, model)


def test_it_rejects_a_card_without_marks():
    with pytest.raises(ArtifactError, match="begin"):
        card.with_facts("# Model card\n", None)
