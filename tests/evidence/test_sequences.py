"""What live outcomes prove, against reference values, and the rate of false proofs."""

import random

import pytest

from predictor.evidence.promises import Promises
from predictor.evidence.sequences import (
    FEWEST,
    FEWEST_STRICT,
    PairedLosses,
    asymptotic_reach,
    half_brier,
    loss,
    promise_bound,
    stitched_boundary,
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (asymptotic_reach(1_000, 0.01), 0.00959817),
        (asymptotic_reach(200, 0.01), 0.02378628),
        (stitched_boundary(100, 2, 0.025), 62.370971),
        (stitched_boundary(1_000, 2, 0.025), 151.017376),
        (promise_bound(100, 0.05), 36.563949),
        (promise_bound(1_000, 0.05), 96.064019),
    ],
)
def test_it_works(found, expected):
    assert found == pytest.approx(expected, abs=6e-7 if expected > 1 else 6e-9)


def pairs(count, new, old, seed=0, share=0.3):
    """``count`` outcomes of two flags, the first with ``share``, and the answers of two models."""
    draw = random.Random(seed)
    losses = PairedLosses()
    for _ in range(count):
        truth = "escapes" if draw.random() < share else "jailed"
        losses.add({"escapes": new, "jailed": 1 - new}, {"escapes": old, "jailed": 1 - old}, truth)
    return losses


def test_it_proves_swapped_labels_worse_within_a_hundred_outcomes():
    swapped = pairs(100, new=0.95, old=0.05, share=0.05)
    assert "Brier score" in str(swapped.proof_of_worse(0.0005))
    assert swapped.interval() is None, "fewer than 200 are too few for the asymptotic one"
    assert "log loss" in str(pairs(FEWEST, 0.95, 0.05, share=0.05).proof_of_worse(0.0005))


def test_equal_models_are_never_proven_worse():
    same = pairs(3_000, new=0.3, old=0.3)
    assert same.proof_of_worse(0) is None
    assert same.interval().low == same.interval().high == 0


def test_a_better_model_is_not_worse():
    better = pairs(3_000, new=0.3, old=0.9)
    assert better.proof_of_worse(0) is None
    assert better.interval().high < 0
    assert better.strict_interval().high < 0


@pytest.mark.slow
def test_a_difference_below_the_margin_is_none():
    worse = pairs(20_000, new=0.4, old=0.3)
    assert worse.proof_of_worse(0) is not None
    assert worse.proof_of_worse(1) is None


def test_too_few_outcomes_say_nothing():
    few = pairs(FEWEST_STRICT - 1, new=1, old=0, share=0)
    assert (few.interval(), few.strict_interval(), few.proof_of_worse(0)) == (None, None, None)
    assert PairedLosses().proof_of_worse(0) is None


def test_a_probability_of_zero_has_a_finite_loss():
    assert loss({"escapes": 0.0, "jailed": 1.0}, "escapes") == pytest.approx(13.8155106)
    assert half_brier({"escapes": 0.0, "jailed": 1.0}, "escapes") == 1
    assert half_brier({"a": 0.0, "b": 0.0, "c": 1.0}, "a") == 1, "never above 1, whatever the flags"


def promised(count, stated, actual, seed=0, city="Gotham"):
    draw = random.Random(seed)
    promises = Promises(["jailed", "escapes"], {"city": ["Gotham", "Metropolis"]})
    for _ in range(count):
        truth = "escapes" if draw.random() < actual else "jailed"
        promises.add({"city": city}, {"jailed": 1 - stated, "escapes": stated}, truth)
    return promises.found()


def test_a_kept_promise():
    overall, gotham = promised(2_000, stated=0.3, actual=0.3)
    assert overall.is_kept
    assert gotham.is_kept
    assert (overall.feature, gotham.label, gotham.flag) == ("", "Gotham", "escapes")
    assert gotham.bound > overall.bound, "slices share their false alarms"


def test_a_broken_promise_says_what_was_stated_and_what_happened():
    overall, gotham = promised(1_000, stated=0.3, actual=0.5)
    assert not overall.is_kept
    assert not gotham.is_kept
    assert overall.stated == pytest.approx(300)
    assert "escapes where city is Gotham came true" in str(gotham)


def test_no_promise_is_made_of_scores_that_are_no_probabilities():
    promises = Promises(["low", "high"], {})
    for _ in range(100):
        promises.add({}, {"low": 3.0, "high": -1.0}, "low")
    assert promises.found() == []


def test_few_outcomes_are_no_broken_promise():
    assert promised(FEWEST_STRICT - 1, stated=0.01, actual=1) == []


def test_labels_that_are_unknown_or_too_many_are_no_slices():
    found = promised(100, 0.3, 0.3, city="Arkham")
    assert [one.feature for one in found] == [""]
    many = Promises(["a", "b"], {"city": [str(n) for n in range(61)], "one": ["only"]})
    for _ in range(60):
        many.add({"city": "1", "one": "only"}, {"a": 0.5, "b": 0.5}, "a")
    assert [one.feature for one in many.found()] == [""]


RUNS, OUTCOMES, EVERY = 1_000, 800, 20


@pytest.mark.slow
def test_peeking_proves_what_is_not_so_in_five_of_a_hundred_runs_at_most():
    """Two models that are equally good, and a calibrated one; both looked at all the time."""
    draw = random.Random(20)
    worse = broken = 0
    for _ in range(RUNS):
        losses, promises = PairedLosses(), Promises(["jailed", "escapes"], {})
        proven = strayed = False
        for at in range(1, OUTCOMES + 1):
            p, sure = 0.1 + 0.8 * draw.random(), draw.random() < 0.5
            truth = "escapes" if draw.random() < p else "jailed"
            # each of the two is off by as much, in turn at random: neither is better
            off = {"escapes": p * 0.7, "jailed": 1 - p * 0.7}
            right = {"escapes": p, "jailed": 1 - p}
            losses.add(*((off, right) if sure else (right, off)), truth)
            promises.add({}, right, truth)
            if at % EVERY == 0:
                proven = proven or losses.proof_of_worse(0) is not None
                strayed = strayed or not all(one.is_kept for one in promises.found())
        worse += proven
        broken += strayed
    assert worse <= 0.05 * RUNS
    assert broken <= 0.05 * RUNS
    assert worse + broken > 0, "a test that never alarms would prove nothing"
