"""The proof before an activation: what another version would change."""

from collections import OrderedDict

import pytest
from django.core.management import call_command
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from predictor.artifacts.version import load_version
from predictor.serving.comparison import compare_versions, logged_inputs
from predictor.serving.shared_inputs import MAX_INPUTS
from tests import bundles
from tests.bundles import ITEM, LOOKUP, METADATA

NO_HOURS = {"features": {"hour": {"minimum": 0, "maximum": 0, "integer": True}}}


@pytest.fixture
def version(tmp_path):
    """Installs a version of Arkham and loads it."""

    def install(number, seed=0, **parts):
        estimator = parts.pop("estimator", None) or bundles.fitted(seed)
        folder = bundles.install(tmp_path, version=number, estimator=estimator, **parts)
        return load_version(folder)

    return install


def always(share, columns=3):
    """A model that answers (1 - share, share) to every case."""
    asked = round(100 * share)
    return DummyClassifier().fit([[0] * columns] * 100, [1] * asked + [0] * (100 - asked))


def test_it_works(version):
    old, new = version("1.0.0", estimator=always(0.2)), version("1.1.0", estimator=always(0.7))
    compared = compare_versions(old, new, [ITEM, ITEM, ITEM | {"city": "Atlantis"}])
    assert compared.renamed == []
    assert (compared.cells, compared.shared.inputs) == (3 * 4 * 24, 3 * 4 * 24)
    assert compared.shared.mean == compared.shared.largest == pytest.approx(0.5)
    assert compared.shared.other_top == compared.shared.inputs
    assert len(compared.shared.most) == 10
    change = compared.shared.most[0]
    assert (change.flag, change.before, change.after) == pytest.approx(("escapes", 0.8, 0.3))
    replay = compared.replay
    assert (replay.inputs, replay.unasked, replay.refused) == (2, 1, 0)
    assert [change.inputs for change in compared.replay.most] == [ITEM]  # asked twice, shown once


def test_it_finds_the_inputs_that_change_most(version):
    old, new = version("1.0.0"), version("1.1.0", seed=1)
    spread = compare_versions(old, new, []).shared
    changes = [abs(change.after - change.before) for change in spread.most]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] == pytest.approx(spread.largest)
    assert 0 < spread.mean < spread.largest
    for change in spread.most:
        answers = [
            model.score([model.encoder.encode(change.inputs)])[0][bundles.FLAGS.index(change.flag)]
            for model in (old, new)
        ]
        assert [change.before, change.after] == pytest.approx(answers)


def test_it_names_what_was_added_and_removed(version):
    lookup = OrderedDict(city={"Gotham": 0, "Star City": 1}, hour=0, weather={"fog": 0, "rain": 1})
    old = version("1.0.0")
    new = version(
        "2.0.0",
        estimator=always(0.4),
        lookup=lookup,
        flags=["jailed", "vanishes"],
        metadata={"features": {"hour": METADATA["features"]["hour"]}},
    )
    compared = compare_versions(old, new, [ITEM])
    assert {r.what: (r.added, r.removed) for r in compared.renamed} == {
        "features": (["weather"], ["villain"]),
        "flags": (["vanishes"], ["escapes"]),
        "labels of city": (["Star City"], ["Metropolis", "Blüdhaven"]),
    }
    assert compared.shared.inputs == 24  # Gotham, any villain, any weather, every hour
    assert {change.flag for change in compared.shared.most} == {"jailed"}
    assert (compared.replay.inputs, compared.replay.refused) == (0, 1)


@pytest.mark.slow
def test_it_draws_a_sample_of_a_large_grid(version):
    lookup = LOOKUP | {"city": {f"City {n}": n for n in range(100)}}
    old, new = (
        version(number, estimator=always(share), lookup=lookup)
        for number, share in (("1.0.0", 0.2), ("1.1.0", 0.7))
    )
    compared = compare_versions(old, new, [])
    assert compared.cells == 100 * 4 * 24
    assert compared.shared.inputs == MAX_INPUTS


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"minimum": 3},
        {"maximum": 0},
        {"minimum": -1.5, "maximum": 2},
        {"minimum": 0, "maximum": 12.8},  # a sixth of 12.8, six times, is above it
        {"minimum": 0.1, "maximum": 0.1},
        {"minimum": -1e308, "maximum": 1e308},
    ],
)
def test_it_tries_numbers_of_every_kind(version, bounds):
    metadata = {"features": {"hour": bounds}}
    old, new = (version(number, metadata=metadata) for number in ("1.0.0", "1.1.0"))
    spread = compare_versions(old, new, []).shared
    assert spread.inputs == compare_versions(old, new, []).cells >= 3 * 4
    assert spread.largest == 0


def test_versions_with_no_flag_in_common_are_compared_by_name_alone(version):
    old, new = version("1.0.0"), version("2.0.0", flags=["in", "out"], metadata=None)
    compared = compare_versions(old, new, [])
    assert [renamed.what for renamed in compared.renamed] == ["flags"]
    assert compared.shared.most == []


def test_the_command_replays_the_log(models_dir, post, capsys):
    for seed, number in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models_dir, version=number, estimator=bundles.fitted(seed))
    assert post(ITEM).status_code == 200
    assert logged_inputs("arkham") == [ITEM]
    call_command("compare_models", "arkham", "1.0.0", "latest")
    printed = capsys.readouterr().out
    assert printed.startswith("arkham: 1.0.0 → 1.1.0\n  the same features, labels and flags\n")
    assert "the grid of shared values: 288 inputs" in printed
    assert "the last logged predictions: 1 input\n" in printed
    assert "city Gotham, villain Joker, hour 3" in printed


def of_cities(known):
    """A model that has no answer for other cities' codes than ``known``."""
    rows = [[city, 0, 0] for city in known] * 2
    labels = [0, 1] * len(known)
    return make_pipeline(OneHotEncoder(), DummyClassifier()).fit(rows, labels)


@pytest.mark.slow
def test_what_a_version_has_no_answer_for_is_counted(version):
    old = version("1.0.0", estimator=of_cities([0, 1]), metadata=NO_HOURS)
    new = version("1.1.0", estimator=of_cities([1, 2]), metadata=NO_HOURS)
    villains = [{"city": city, "villain": "Joker", "hour": 0} for city in LOOKUP["city"]]
    replay = compare_versions(old, new, villains).replay
    assert (replay.inputs, replay.unasked, replay.refused) == (1, 1, 1)
