"""Outcomes of a crime: the labels of the police files, and the group of each.

Names mean the same in all years: 2025 publishes police outcomes only, 2018 and 2019 also the
courts' decisions. "Court result unavailable" counts as a charge: over a year it turns into
"Awaiting court outcome" and back, so splitting the two would show a change that no force made.
"""

from enum import StrEnum

from .vocabulary import looks_like


class Group(StrEnum):
    """The outcome of a crime, in the plain words of the models' answers."""

    CHARGED = "Charged or sent to court"
    CAUTIONED = "Caution, penalty or warning"
    LOCAL_RESOLUTION = "Local resolution"
    NO_SUSPECT = "No suspect identified"
    NOT_PROSECUTED = "Suspect, but no prosecution or conviction"
    NO_PUBLIC_INTEREST = "Not in the public interest"
    PASSED_ON = "Passed to another agency"


GROUPS = tuple(Group)
CAUGHT = frozenset({Group.CHARGED, Group.CAUTIONED, Group.LOCAL_RESOLUTION})

# Not known (yet): such crimes teach nothing about outcomes.
STATUS_UNAVAILABLE = "Status update unavailable"
UNKNOWN = frozenset({"", "Under investigation", STATUS_UNAVAILABLE})

_LABELS = {
    Group.CHARGED: (
        "Awaiting court outcome",
        "Court result unavailable",
        "Suspect charged",
        "Suspect charged as part of another case",
        "Defendant sent to Crown Court",
        "Offender sent to prison",
        "Offender given suspended prison sentence",
        "Offender given community sentence",
        "Offender fined",
        "Offender given conditional discharge",
        "Offender given absolute discharge",
        "Offender ordered to pay compensation",
        "Offender deprived of property",
        "Offender otherwise dealt with",
    ),
    Group.CAUTIONED: (
        "Offender given a caution",
        "Offender given penalty notice",
        "Offender given a drugs possession warning",
    ),
    Group.LOCAL_RESOLUTION: ("Local resolution",),
    Group.NO_SUSPECT: ("Investigation complete; no suspect identified",),
    Group.NOT_PROSECUTED: (
        "Unable to prosecute suspect",
        "Court case unable to proceed",
        "Defendant found not guilty",
    ),
    Group.NO_PUBLIC_INTEREST: (
        "Formal action is not in the public interest",
        "Further action is not in the public interest",
        "Further investigation is not in the public interest",
    ),
    Group.PASSED_ON: ("Action to be taken by another organisation",),
}
_GROUP_OF = {label: group for group, labels in _LABELS.items() for label in labels}


class UnknownOutcome(ValueError):
    """A file has an outcome label that this project does not know."""

    def __init__(self, label: str) -> None:
        near = looks_like(label, tuple(_GROUP_OF))
        hint = f"it looks like {near!r}; if it is new, " if near else ""
        super().__init__(
            f"unknown outcome {label!r}; {hint}add it to its group in training/outcome_groups.py "
            "before its crimes are counted"
        )


def group_of(outcome: str) -> Group | None:
    """The group of an outcome label, None for a label that means unknown.

    Raises UnknownOutcome for a label that is in no group.
    """
    if outcome in UNKNOWN:
        return None
    try:
        return _GROUP_OF[outcome]
    except KeyError:
        raise UnknownOutcome(outcome) from None
