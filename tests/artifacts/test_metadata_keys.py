"""docs/metadata.md lists every key that metadata.json may have, with an example that is valid."""

import json
import re
from pathlib import Path

import pytest

from predictor.artifacts import metadata
from predictor.artifacts.contract import build_contract
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.kinds import KINDS
from predictor.artifacts.metadata import FEATURE_KEYS, OUTPUT_KEYS, OUTPUTS_FROM, VERSION_KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metadata.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (.*) \| `(.*)` \|$", re.MULTILINE)
SECTIONS = dict(zip(("version", "feature", "output"), PAGE.split("\n## ")[1:], strict=True))
LOOKUP = {"size": {"s": 0, "m": 1}, "level": 0}


def rows(section):
    return {key: (words, json.loads(example))
            for key, words, example in ROW.findall(SECTIONS[section])}  # fmt: skip


@pytest.mark.parametrize(
    ("section", "keys"),
    [("version", VERSION_KEYS), ("feature", FEATURE_KEYS), ("output", OUTPUT_KEYS)],
)
def test_it_lists_every_key(section, keys):
    assert list(rows(section)) == list(keys) or set(rows(section)) == set(keys)


def test_every_example_is_valid():
    for key, (_, example) in rows("version").items():
        build_contract(LOOKUP, ["value"], {key: example})
    for key, (_, example) in rows("feature").items():
        labelled = key in ("passed_as", "open", "fallback", "unlisted")
        described = {key: example} | ({"fallback": "s"} if key == "unlisted" else {})
        build_contract(
            LOOKUP, ["value"], {"features": {"size" if labelled else "level": described}}
        )
    for key, (_, example) in rows("output").items():
        build_contract(LOOKUP, ["value"], {"outputs": {"value": {key: example}}})


def test_it_lists_every_kind_and_every_source_of_outputs():
    assert re.findall(r"`([\w-]+)`", rows("feature")["type"][0])[: len(KINDS)] == list(KINDS)
    named = set(re.findall(r"`(\w+)`", rows("version")["outputs_from"][0]))
    assert named == set(OUTPUTS_FROM)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"features": {"level": {"min": 0}}}, "did you mean 'minimum'"),
        ({"features": {"level": {"Max": 0}}}, "did you mean 'maximum'"),
        ({"features": {"level": {"units": "cm"}}}, "did you mean 'unit'"),
        ({"features": {"level": {"max-length": 5}}}, "did you mean 'max_length'"),
        ({"outputs": {"value": {"titel": "x"}}}, "did you mean 'title'"),
        ({"titel": "x"}, "did you mean 'title'"),
        ({"feature": {}}, "did you mean 'features'"),
        ({"output_from": "predict"}, "did you mean 'outputs_from'"),
        ({"outputs_from": "predict_probability"}, "outputs_from is"),
        ({"outputs_from": "quantiles"}, "quantiles must list"),
        ({"features": {"level": {"type": "float"}}}, "it is one of"),
        ({"features": {"size": {"type": "number"}}}, "but lookup.pkl says choice"),
        ({"features": {"level": {"open": True}}}, "is for a feature with labels"),
        ({"examples": {"a": 1}}, "examples.a must be a mapping"),
    ],
)
def test_it_rejects_what_is_misspelt_or_contradicts(given, words):
    with pytest.raises(ArtifactError) as refused:
        build_contract(LOOKUP, ["value"], given)
    assert words in str(refused.value)


def test_other_keys_are_the_owners():
    build_contract(LOOKUP, ["value"], {"date": "2026", "author": "x", "features": {"level": {
        "source": "a sensor"}}})  # fmt: skip


def test_thousands_of_own_keys_do_not_occupy_the_worker_that_reads_them(monkeypatch):
    compared = []
    monkeypatch.setattr(metadata, "nearest", lambda *_: compared.append(1))
    own = {f"key {place}": 0 for place in range(5_000)}
    build_contract(LOOKUP, ["value"], own | {"features": {"level": own, "size": own},
                                             "outputs": {"value": own}})  # fmt: skip
    assert 1_000 <= len(compared) <= 5_000
