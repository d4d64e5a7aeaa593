"""Oddities in figures compared with known ones, such as those of an earlier training."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from .figures import Figures
from .figures_changes import ALL_FORCES, FEWEST, groups, sizes, stability_index

Limits = Mapping[str, Any]


def _labels(figures: Figures, known: Figures, limits: Limits) -> list[str]:
    found = []
    for what in ("force", "crime", "outcome"):
        new, old = ({getattr(c, what) for c in each} for each in (figures, known))
        found += [f"the {what} {name!r} is new" for name in sorted(new - old)]
        found += [f"the {what} {name!r} is gone" for name in sorted(old - new)]
    return found


def _mix(figures: Figures, known: Figures, limits: Limits) -> list[str]:
    """Outcomes of all crimes, compared with those expected from the known shares of each type."""
    ours, theirs = _by("crime", figures, known)
    found, expected = ours.sum().to_frame().T, _expected(ours, theirs).sum().to_frame().T
    if found.to_numpy().sum() < limits["fewest"]:
        return []
    value = stability_index(found, expected).iloc[0]
    if value <= limits["psi"]:
        return []
    sentence = (
        f"outcomes are unlike those of the known figures: population stability index {value:.2f}, "
        f"at most {limits['psi']} is allowed"
    )
    return [sentence]


def _parts(figures: Figures, known: Figures, limits: Limits) -> list[str]:
    """The same for each type of crime and each force."""
    found = []
    for feature in ("crime", "force"):
        ours, theirs = _by(feature, figures, known)
        index = stability_index(ours, theirs)
        found += [
            f"outcomes of {label} are unlike those of the known figures: population stability "
            f"index {index[label]:.2f}"
            for label in index.index[index > limits["psi"]]
        ]
    return found


def _volume(figures: Figures, known: Figures, limits: Limits) -> list[str]:
    ours, theirs = (sizes(each, ["force"]) for each in (figures, known))
    both = ours.index.intersection(theirs.index)
    if len(both) > 1:
        for each in (ours, theirs):
            each.loc[ALL_FORCES] = each.loc[both].sum()
    usual, before = (each.where(each > 0).median(axis=1) for each in (ours, theirs))
    ratio = (usual / before).dropna()
    far = ratio[(ratio > limits["factor"]) | (ratio < 1 / limits["factor"])]
    return [
        f"{force} recorded {usual[force]:,.0f} crimes in its usual month, {before[force]:,.0f} in "
        "that of the known figures"
        for force in far.index
    ]


def _by(feature: str, figures: Figures, known: Figures) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Crimes by outcome group, of the labels that are frequent enough in both."""
    ours, theirs = (groups(each, [feature]) for each in (figures, known))
    ours, theirs = (each[each.sum(axis=1) >= FEWEST] for each in (ours, theirs))
    both = ours.index.intersection(theirs.index)
    return ours.loc[both], theirs.loc[both]


def _expected(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    return theirs.mul(ours.sum(axis=1) / theirs.sum(axis=1), axis=0)


COMPARISONS: Mapping[str, Callable[[Figures, Figures, Limits], list[str]]] = {
    "labels": _labels,
    "mix_against": _mix,
    "parts_against": _parts,
    "volume_against": _volume,
}
