"""The cases a crime model is judged on: the held-out quarter's cells, with its twin's answers."""

from collections.abc import Mapping

import pandas as pd

from predictor.evidence.cases import HIGH, LOW, TWIN, Cases

from .candidates import Learnt, constant, crime_rates
from .evaluate import Array
from .intervals import Spread, ends

REFERENCES = {"constant": constant, "crime rates": crime_rates}
Numbers = list[tuple[float, ...]]


def crime_cases(twin: Learnt, after: pd.DataFrame, found: list[Spread], flags: list[str]) -> Cases:
    """The cells ``after`` those that the twin learnt from, as cases."""
    low, high = ends(twin, after, found)
    answers: Mapping[str, Array] = {
        TWIN: twin.shares(after),
        LOW: low,
        HIGH: high,
        **{name: answer(twin.cells, after) for name, answer in REFERENCES.items()},
    }
    periods = [str(period) for period in after.index.get_level_values("period")]
    return Cases(
        features=("force", "crime", "month"),
        flags=tuple(flags),
        rows=[
            (force, crime, str(int(period[5:])))
            for period, force, crime in after.index.reorder_levels(["period", "force", "crime"])
        ],
        counts=rows_of(after.to_numpy(dtype=float)),
        scores={name: rows_of(each) for name, each in answers.items()},
        periods=periods,
    )


def rows_of(table: Array) -> Numbers:
    """A table as plain numbers."""
    return [tuple(row) for row in table.tolist()]
