"""Hostile models: each is refused, or harms only its own process."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from predictor.artifacts.errors import ScoringError
from predictor.artifacts.files import read_version
from predictor.artifacts.inputs import RowEncoder
from predictor.artifacts.policy import Policy
from predictor.artifacts.quarantine import examine_apart
from predictor.artifacts.unpickling import read_contract
from predictor.scoring.protocol import Manner
from predictor.scoring.room import Room
from tests import bundles
from tests.artifacts import beyond, crafted

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).resolve().parents[3] / "shared" / "cases" / "crafted.py"
TEXTS = {"lookup": {"text": ""}, "flags": ["no", "yes"],
         "metadata": {"features": {"text": {"type": "text"}}}}  # fmt: skip
# What only a caller's own words set off: no examination can find these.
BACKTRACKING = make_pipeline(
    CountVectorizer(token_pattern=r"(?:a+)+$"), LogisticRegression()
).fit(["a", "aa a", "aaa"], [0, 1, 1])  # fmt: skip
HUNGRY = make_pipeline(
    HashingVectorizer(analyzer="char", ngram_range=(1, 100_000), n_features=16),
    LogisticRegression(),
).fit(["a", "b"], [0, 1])  # fmt: skip


@pytest.fixture(scope="module")
def room():
    room = Room()
    room.slowest = 3.0
    return room


def accepted(room, folder):
    """A version's scorer and its encoder, or why it is refused."""
    policy = Policy(room=room)
    files = read_version(folder)
    report = examine_apart(files, policy)
    if report.reason:
        return report.reason, None
    contract = read_contract(files, policy).refined(report.kinds, report.flags)
    return room.scorer(files, contract, policy, report), RowEncoder(contract)


def outcome(room, folder, items):
    """One line on what happens to a version that is asked ``items`` one after the other."""
    scorer, encoder = accepted(room, folder)
    if encoder is None:
        return f"refused: {scorer}"
    answers = []
    for item in items:
        try:
            answers.append(scorer.score([encoder.encode(item)])[0])
        except ScoringError as error:
            answers.append(f"{type(error).__name__}: {error}")
    return f"served: {answers!s:.150}"


@pytest.fixture(scope="module")
def neighbour(room, tmp_path_factory):
    scorer, encoder = accepted(room, bundles.install(tmp_path_factory.mktemp("good")))
    row = encoder.encode(bundles.ITEM)
    right = bundles.fitted().predict_proba([row]).tolist()
    return lambda: scorer._ask([row], 2) == right


def test_words_that_set_something_off_hurt_only_who_sends_them(tmp_path, room, neighbour):
    cases = {
        "backtracking": (BACKTRACKING, "a" * 60 + "!"),
        "hungry": (HUNGRY, "abcdefghij" * 900),
    }
    for name, (model, words) in cases.items():
        folder = bundles.install(tmp_path, name, "1", model, **TEXTS)
        found = outcome(room, folder, [{"text": "a"}, {"text": words}, {"text": "a"}])
        print(f"\n{name}: {found}")
        assert re.fullmatch(r"served: \[\[0.*\], '(Scor|Abst)\w+: .*', \[0.*\]\]", found), found
        assert neighbour()


def test_what_was_found_before_is_refused(tmp_path, room, neighbour):
    if not PROGRAM.exists():
        pytest.skip(f"there is no {PROGRAM}")
    subprocess.run([sys.executable, str(PROGRAM), str(tmp_path)], check=True)
    for folder in sorted(tmp_path.glob("*/1.0.0")):
        found = outcome(room, folder, [])
        print(f"\n{folder.parent.name}: {found}")
        assert found.startswith("refused")
        assert neighbour()


def test_no_caller_is_answered_with_what_another_sent(tmp_path, room, neighbour):
    """An imputer that learns its guesses when it is first asked, behind one that asks it seldom."""
    names = list("abcd")
    metadata = {"features": {name: {"missing": True} for name in names}}
    folder = bundles.install(
        tmp_path, "learner", "1", beyond.learner(), dict.fromkeys(names, 0), list("wxyz"), metadata
    )
    scorer, encoder = accepted(room, folder)
    asked = [(None, 12345.5, 1, 1), (None, None, 1, 1), (None, 777.5, 1, 1)]
    rows = [encoder.encode(dict(zip(names, row, strict=True))) for row in asked]
    first, after, second = (scorer._ask([row], Manner.ALONE)[0] for row in rows)
    print(f"\nlearner: {first}, then {after}, then {second}")
    assert first[:2] == pytest.approx([12345.5, 12345.5])  # its own, filled in and given back
    assert second[:2] == pytest.approx([777.5, 777.5])
    assert after[0] == pytest.approx(0)
    assert neighbour()


FRESH = beyond.leftovers() | beyond.in_disguise() | beyond.more_than_one_row()


@pytest.mark.parametrize("name", FRESH)
def test_what_misleads_compiled_code_is_refused(tmp_path, room, neighbour, name):
    files = crafted.version(FRESH[name])
    folder = tmp_path / "crafted" / "1"
    folder.mkdir(parents=True)
    for file, content in files.content.items():
        (folder / file).write_bytes(content)
    (folder / "metadata.json").write_text(json.dumps({"title": name}))
    found = outcome(room, folder, [])
    print(f"\n{name}: {found}")
    assert found.startswith("refused")
    assert neighbour()
