"""The figures of admin's first page, from the archive of the log instead of the database.

manage.py archive_predictions writes the archive. Spark finds the rows, and the server's code
(predictor.evidence) counts them, so that the same rows give the same figures. Only this module and
``spark.py`` need pyspark.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from predictor.artifacts.version import ModelVersion
from predictor.evidence.accuracy import Accuracy, accuracy_of
from predictor.evidence.drift import (
    DAYS,
    FEWEST,
    FILES,
    FIRST,
    REQUESTS,
    Drift,
    Observation,
    Observations,
    asker,
    measure,
    requests,
)

MOST = 100_000  # answers to send to the driver, an even sample
_DIGITS = 4  # last digits of an id, which are random
_CSV = "csv"


@dataclass(frozen=True)
class Monitored:
    """A version's figures: the drift of its inputs, and the accuracy of its answers."""

    drift: list[Drift]
    accuracy: Accuracy | None  # None without outcomes


def monitor(  # noqa: PLR0913 - archive, version, time and rules
    spark: SparkSession,
    archive: str,
    model: ModelVersion,
    until: datetime | None = None,
    *,
    hashed: frozenset[str] = frozenset(),
    threshold: float = 0.25,
) -> Monitored:
    """A version's figures in admin at the time ``until`` (default: now), from the archive's rows.

    ``hashed`` are the features in LOG_HASHES, ``threshold`` is DRIFT_THRESHOLD.
    """
    rows = spark.read.parquet(archive).where(
        (F.col("model") == model.name) & (F.col("version") == model.version)
    )
    found = [
        one
        for who, asked in _asked(rows, until or datetime.now(UTC)).items()
        for one in measure(model, who, asked, hashed, threshold)
    ]
    return Monitored(found, _accuracy(rows, model))


def _accuracy(rows: DataFrame, model: ModelVersion) -> Accuracy | None:
    known = _drawn(rows.where(F.col("outcome").isNotNull()))
    cases = [(row["outcome"], row["top_flag"], _scores(row)) for row in known.collect()]
    return accuracy_of(model.name, model.version, cases) if cases else None


def _asked(rows: DataFrame, until: datetime) -> dict[str, Observations]:
    """By kind of caller: the answers of the last days, and the version's first answers."""
    of_askers = {FILES: F.col("source") == _CSV, REQUESTS: F.col("source") != _CSV}
    recent: dict[str, list[Row]] = {}
    for days in DAYS:
        window = rows.where(F.col("time").between(until - timedelta(days=days), until))
        recent = {
            who: kept for who, which in of_askers.items()
            if (kept := _drawn(window.where(which)).orderBy("id").collect())
        }  # fmt: skip
        if requests(map(_answer, recent.get(REQUESTS, []))) >= FEWEST:
            break
    return {
        who: _beside_the_first(kept, rows.where(of_askers[who])) for who, kept in recent.items()
    }


def _beside_the_first(now: list[Row], rows: DataFrame) -> Observations:
    first = rows.orderBy("id").limit(FIRST).collect()
    later = [row for row in now if row["id"] > first[-1]["id"]]
    return Observations([*map(_answer, now)], [*map(_answer, first)], [*map(_answer, later)])


def _drawn(rows: DataFrame) -> DataFrame:
    """``rows``, or an even sample of many."""
    count = rows.count()
    if count <= MOST:
        return rows
    ends = f"{max(16**_DIGITS * MOST // count, 1):0{_DIGITS}x}"
    return rows.where(F.substring(F.col("id"), -_DIGITS, _DIGITS) < ends)


def _answer(row: Row) -> Observation:
    _, weight = asker(row["source"], row["items"])
    return Observation(json.loads(row["inputs"]), row["top_flag"], _scores(row), weight)


def _scores(row: Row) -> Mapping[str, Any]:
    scores: dict[str, Any] = json.loads(row["scores"])
    return scores
