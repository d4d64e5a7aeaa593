"""The share of callers that meet a candidate: as large as decided, other callers in each trial."""

from datetime import timedelta

from django.utils import timezone

from predictor.serving.canary import Canary

CALLERS = [f"caller {number}" for number in range(2_000)]


def met(trial, share, ends=None):
    """The callers that meet the candidate."""
    canary = Canary(version=None, trial=trial, share=share, ends=ends)
    return {caller for caller in CALLERS if canary.takes(caller)}


def test_it_works():
    assert 70 <= len(met(1, 0.05)) <= 130  # five standard deviations (10) around 100
    assert met(1, 0.05) == met(1, 0.05)
    assert not met(1, 0.0)
    assert met(1, 1.0) == set(CALLERS)


def test_a_larger_share_keeps_the_callers_of_a_smaller_one():
    assert met(1, 0.05) < met(1, 0.5)


def test_each_trial_meets_other_callers():
    assert len(met(1, 0.5) & met(2, 0.5)) < 0.7 * len(met(1, 0.5))


def test_without_a_key_chance_decides():
    canary = Canary(version=None, trial=1, share=0.5, ends=None)
    assert {canary.takes("") for _ in range(200)} == {True, False}


def test_a_trial_that_has_ended_is_met_by_no_caller():
    assert not met(1, 1.0, timezone.now() - timedelta(seconds=1))
