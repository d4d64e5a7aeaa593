"""The same work on Spark: figures from any number of years, scores for a table of any size.

Executors run this project's own code (``street.py`` to count, ``predictor.artifacts`` to score), so
that a cluster gives the same results as one machine. They must be able to import it: from the wheel
that ``databricks/`` installs, or by PYTHONPATH on one machine. Of training, only this and
``spark_monitor.py`` need pyspark.
"""

import io
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.types import DoubleType, StringType, StructField, StructType
from threadpoolctl import threadpool_limits

from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.kinds.feature import Feature
from predictor.artifacts.version import ModelVersion, load_version

from .figures import COLUMNS
from .street import STREET_FILE, StreetFile

ERROR = "error"  # the column with the reason why a row has no scores
# the row's own values in its sentences: the guess, the value after "not", and names in quotes
_VALUES = {r"; did you mean [^?]*\?": "", r", not [^;]*": "", r'"[^"]*"': "…"}


def aggregate(spark: SparkSession, paths: list[str]) -> DataFrame:
    """The figures of all street-level files below ``paths``; columns as in a file of figures.

    A broken file ends the job with a sentence that names the file and the line; a copy of a file
    under another name, with one that names both. Raises ValueError when there is no file, or two
    have the same name.
    """
    files = (
        spark.read.format("binaryFile")
        .option("recursiveFileLookup", "true")
        .option("pathGlobFilter", "*-street.csv")
        .load(paths)
        .select("path", "content")
    )
    _check_names([row["path"] for row in files.select("path").collect()], paths)
    counted = files.mapInPandas(
        _count_files,
        "month string, force string, crime string, outcome string, count long, path string",
    )
    cells = COLUMNS[:-1]
    one, other = F.min("path"), F.max("path")
    twice = F.concat(
        one, F.lit(" and "), other, F.lit(" both hold the crimes of "), F.col("force"),
        F.lit(" in "), F.col("month"), F.lit("; leave out one"),
    )  # fmt: skip
    count = F.when(one == other, F.sum("count")).otherwise(F.raise_error(twice))
    return counted.groupBy(*cells).agg(count.alias("count")).orderBy(*cells)


def score(table: DataFrame, version: Path) -> DataFrame:
    """``table`` with a column for each flag, and the reason for a row that does not fit the model.

    ``version`` is a folder that every executor can read (a Volume on Databricks). Columns are
    matched to features by name; others are passed through. A number may be of any numeric type, or
    a text. Equal inputs are scored once: a model with few labels has few inputs.
    """
    model = _model(str(version))
    features = [feature.name for feature in model.contract.features]
    if missing := [name for name in features if name not in table.columns]:
        raise ValueError(f"the table has no column {', '.join(missing)}")
    flags = model.contract.flag_names
    if taken := {*flags, ERROR} & set(table.columns):
        raise ValueError(f"the table has a column {min(taken)} already")
    asked = table.select(*(F.col(f"`{name}`").alias(_asked(name)) for name in features)).distinct()
    added = [*(StructField(flag, DoubleType()) for flag in flags), StructField(ERROR, StringType())]
    schema = StructType([*asked.schema.fields, *added])
    answers = asked.mapInPandas(partial(_score_batches, str(version)), schema)
    same = [F.col(f"`{name}`").eqNullSafe(F.col(f"`{_asked(name)}`")) for name in features]
    return table.join(answers, same, "left").drop(*asked.columns)


def refusals(scored: DataFrame) -> list[tuple[str, int]]:
    """The reasons why rows have no scores, without values, and the number of rows for each."""
    reason = F.col(ERROR)
    for pattern, instead in _VALUES.items():
        reason = F.regexp_replace(reason, pattern, instead)
    counted = scored.where(F.col(ERROR).isNotNull()).groupBy(reason.alias("reason")).count()
    rows = counted.orderBy(F.desc("count"), "reason").collect()
    return [(row["reason"], row["count"]) for row in rows]


def _asked(feature: str) -> str:
    return f"asked: {feature}"


def _check_names(found: list[str], paths: list[str]) -> None:
    names = [path.rpartition("/")[2] for path in found]
    names = [name for name in names if STREET_FILE.fullmatch(name)]
    if not names:
        raise ValueError(f"no file named YYYY-MM-<force>-street.csv below {', '.join(paths)}")
    if len(set(names)) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twin} is there twice; leave out one")


def _count_files(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        for path, content in zip(batch["path"], batch["content"], strict=True):
            file = StreetFile(path, len(content), partial(io.BytesIO, content))
            if STREET_FILE.fullmatch(file.name):
                counts = file.count(int)
                rows = [(*cell, n, path) for cell, n in counts.items()]
                yield pd.DataFrame(rows, columns=[*COLUMNS, "path"])


def _score_batches(version: str, batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    model = _model(version)
    with threadpool_limits(1):  # Spark gives each task one core
        for batch in batches:
            yield _score_batch(model, batch)


def _score_batch(model: ModelVersion, batch: pd.DataFrame) -> pd.DataFrame:
    """``batch``, whose columns are the features, with the flags and ERROR appended."""
    features = model.contract.features
    errors: list[str | None] = [None] * len(batch)
    rows, places = [], []
    for place, values in enumerate(batch.itertuples(index=False, name=None)):
        try:
            item = {f.name: _as_json(f, v) for f, v in zip(features, values, strict=True)}
            rows.append(model.encoder.encode(item))
            places.append(place)
        except InvalidInput as invalid:
            errors[place] = str(invalid)
    scores = pd.DataFrame(index=range(len(batch)), columns=model.contract.flag_names, dtype=float)
    if rows:
        scores.iloc[places] = model.score(rows)
    scores[ERROR] = errors
    return pd.concat([batch, scores.set_index(batch.index)], axis=1)


def _as_json(feature: Feature, value: Any) -> Any:
    """A cell of a table as in a request: DECIMAL and STRING columns hold numbers too."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if value is None or pd.isna(value):
        return None
    if isinstance(value, str):
        return feature.value_from_text(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


@cache
def _model(version: str) -> ModelVersion:
    """The model, loaded once in each Python worker, which Spark uses for many tasks."""
    return load_version(Path(version))
