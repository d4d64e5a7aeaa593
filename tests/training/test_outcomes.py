"""Outcome labels and their groups."""

import pytest

from training.crime import FIGURES
from training.figures import read_figures
from training.outcome_groups import CAUGHT, GROUPS, UNKNOWN, Group, UnknownOutcome, group_of


@pytest.mark.parametrize(
    ("label", "group"),
    [
        ("Court result unavailable", Group.CHARGED),
        ("Awaiting court outcome", Group.CHARGED),
        ("Offender sent to prison", Group.CHARGED),
        ("Offender given a drugs possession warning", Group.CAUTIONED),
        ("Local resolution", Group.LOCAL_RESOLUTION),
        ("Investigation complete; no suspect identified", Group.NO_SUSPECT),
        ("Defendant found not guilty", Group.NOT_PROSECUTED),
        ("Formal action is not in the public interest", Group.NO_PUBLIC_INTEREST),
        ("Action to be taken by another organisation", Group.PASSED_ON),
        ("Status update unavailable", None),
        ("Under investigation", None),
        ("", None),
    ],
)
def test_it_works(label, group):
    assert group_of(label) is group


@pytest.mark.slow
def test_it_knows_every_label_of_the_figures():
    found = {group_of(cell.outcome) for cell in read_figures(FIGURES)}
    assert found == {None, *GROUPS}


def test_caught_is_what_the_police_settled_with_someone():
    assert {Group.CHARGED, Group.CAUTIONED, Group.LOCAL_RESOLUTION} == CAUGHT
    assert not {label for label in UNKNOWN if group_of(label)}


@pytest.mark.parametrize("label", ["Escaped", "local resolution", "Local resolution "])
def test_it_rejects_an_unknown_label(label):
    with pytest.raises(UnknownOutcome, match=label):
        group_of(label)
