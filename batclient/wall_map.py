"""The wall map: one flag's score over every pair of two features' values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batclient.printout import score_in_words
from batclient.sentences import choice_in_language
from batclient.what_if import shown_flag
from predictor.artifacts.addresses import address_of, case_from, parameter
from predictor.artifacts.contract import Contract, Feature, Flag
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion
from predictor.predictions.opening import opening_case
from predictor.predictions.sensitivity import AxisValue, ScoreMap, comparable, score_map

SHADES = 12  # from the coldest to the hottest, as in map.css


@dataclass(frozen=True)
class WallMap:
    """The content of a map; ``held`` are the fixed values of the features off the map."""

    model: ModelVersion
    rows: Feature
    columns: Feature
    flag: Flag
    held: Mapping[str, Any]
    scores: ScoreMap

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest score on the map."""
        scores = [score for row in self.scores.cells for score in row]
        return min(scores), max(scores)

    @property
    def ends_in_words(self) -> list[str]:
        return [self.words(score) for score in self.ends]

    @property
    def query(self) -> str:
        """The query that draws this map again."""
        names = {"rows": self.rows.name, "columns": self.columns.name, "flag": self.flag.name}
        return address_of(self.held, **names)

    @property
    def held_query(self) -> str:
        """The query that a cell's two values complete to a case."""
        return address_of(self.held)

    @property
    def rows_parameter(self) -> str:
        return parameter(self.rows.name)

    @property
    def columns_parameter(self) -> str:
        return parameter(self.columns.name)

    @property
    def heads(self) -> list[tuple[str, str]]:
        """The columns' values, as in a query string and as people read them."""
        return list(_steps(self.columns, self.scores.columns))

    def words(self, score: float) -> str:
        return score_in_words(score, self.model.scorer.kind, self.flag.unit)

    def lines(self) -> Iterator[dict[str, Any]]:
        """The map row by row: its title, and per cell the text, a short number and the shade."""
        lowest, highest = self.ends
        shares = self.model.scorer.kind == "probability"
        span = (highest - lowest) or 1
        rows = _steps(self.rows, self.scores.rows)
        for (value, shown), scores in zip(rows, self.scores.cells, strict=True):
            cells = [
                {
                    "words": self.words(score),
                    "short": f"{score * 100:.0f}" if shares else self.words(score),
                    "shade": min(int((score - lowest) / span * SHADES), SHADES - 1),
                }
                for score in scores
            ]
            yield {"value": value, "shown": shown, "cells": cells}

    def sheet(self) -> Iterator[list[Any]]:
        """The map as the rows of a spreadsheet."""
        corner = f"{self.rows.title} / {self.columns.title}: {self.flag.title}"
        yield [corner, *(shown for _, shown in self.heads)]
        rows = _steps(self.rows, self.scores.rows)
        for (_, shown), scores in zip(rows, self.scores.cells, strict=True):
            yield [shown, *scores]


def _steps(feature: Feature, steps: Iterable[AxisValue]) -> Iterator[tuple[str, str]]:
    """The values of an axis, as in a query string and as people read them."""
    for value, shown in steps:
        yield text_of(value), choice_in_language(feature, value, shown)


def mappable(contract: Contract) -> list[Feature]:
    """The features that can be an axis, those with labels first; with fewer than two, no map."""
    features = comparable(contract)
    return sorted(features, key=lambda feature: not feature.is_choice)


def map_choice(contract: Contract, query: Mapping[str, str]) -> dict[str, str]:
    """The map's ``rows``, ``columns`` and ``flag``: those of ``query``, else the first possible."""
    axes = [feature.name for feature in mappable(contract)]
    rows = query.get("rows") or next(iter(axes), "")
    columns = query.get("columns") or next((name for name in axes if name != rows), "")
    return {
        "rows": rows,
        "columns": columns,
        "flag": query.get("flag") or shown_flag(contract).name,
    }


def map_case(contract: Contract, query: Mapping[str, str]) -> dict[str, str]:
    """The query's case as form values, with a valid value for each missing one."""
    return {parameter(name): text_of(value) for name, value in _case(contract, query).items()}


def _case(contract: Contract, query: Mapping[str, str]) -> dict[str, Any]:
    return opening_case(contract) | case_from(contract, query)


def draw(model: ModelVersion, query: Mapping[str, str]) -> WallMap:
    """The map of ``query``; missing parameters are chosen.

    Raises InvalidInput naming what cannot be drawn, ScoringError if the model returns no score.
    """
    contract = model.contract
    rows, columns, flag = map_choice(contract, query).values()
    item = _case(contract, query)
    drawn = score_map(model, item, rows, columns, flag)
    features = {feature.name: feature for feature in contract.features}
    return WallMap(
        model=model,
        rows=features[rows],
        columns=features[columns],
        flag=next(f for f in contract.flags if f.name == flag),
        held={name: value for name, value in item.items() if name not in (rows, columns)},
        scores=drawn,
    )
