"""A label that replaces those the model does not know."""

import pytest

from predictor.artifacts.contract import build_contract
from predictor.artifacts.errors import ArtifactError, InvalidInput
from predictor.artifacts.inputs import RowEncoder

LOOKUP = {"force": {"Any force": 0, "Kent Police": 1, "North Yorkshire Police": 2}}
DESCRIBED = {"fallback": "Any force", "unlisted": ["West Yorkshire Police"]}


def refused(force, described=DESCRIBED):
    contract = build_contract(LOOKUP, ["odds"], {"features": {"force": described}})
    with pytest.raises(InvalidInput) as refusal:
        RowEncoder(contract).encode({"force": force})
    return refusal.value.errors[0]


@pytest.mark.parametrize("force", ["West Yorkshire Police", "West Yorkshire Polic", "Gotham", ""])
def test_it_works(force):
    error = refused(force)
    assert error.suggestion == "Any force"
    assert '"Any force" is the label for what the model does not know' in error.message


def test_a_misspelt_label_is_still_recognised():
    assert refused("Kent Polic").suggestion == "Kent Police"


def test_without_a_fallback_the_nearest_label_is_suggested():
    assert refused("West Yorkshire Police", {}).suggestion == "North Yorkshire Police"
    assert refused("Gotham", {}).suggestion is None


@pytest.mark.parametrize(
    "described",
    [
        {"fallback": "Every force"},
        {"fallback": ["Any force"]},
        {"unlisted": ["West Yorkshire Police"]},
        DESCRIBED | {"unlisted": "West Yorkshire Police"},
        DESCRIBED | {"unlisted": [3]},
        DESCRIBED | {"unlisted": ["Kent Police"]},
    ],
)
def test_it_rejects_what_cannot_stand_in(described):
    with pytest.raises(ArtifactError, match=r"features\.force\.(fallback|unlisted)"):
        build_contract(LOOKUP, ["odds"], {"features": {"force": described}})
