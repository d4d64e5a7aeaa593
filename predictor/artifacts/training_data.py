"""The data an estimator was fitted on: a table of its own columns, in its own order."""

import gzip
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from predictor.spreadsheets.dialect import Dialect
from predictor.spreadsheets.reading import CsvFile, UnreadableCSV

from .contract import MAX_FEATURES, build_contract
from .discovery import discover
from .errors import ArtifactError
from .lookup import MAX_LABELS

Found = Mapping[str, Mapping[str, Any]]

_OF_COLUMNS = {".parquet": pd.read_parquet, ".feather": pd.read_feather}
_LONG = 40  # columns without names, beyond which they become one list of numbers
# What pandas takes for missing; a category of the estimator's is none of it.
_BLANKS = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip


@dataclass(frozen=True)
class TrainingData:
    """The estimator's columns of the training data; ``found`` is what it shows of each."""

    table: pd.DataFrame
    found: Found
    is_frame: bool  # whether the estimator is given a data frame, not an array
    ignored: Sequence[str] = ()  # columns that are no features
    as_list: bool = False  # whether all columns are one list of numbers

    def given(self, table: pd.DataFrame) -> Any:
        """Rows of the table as the estimator itself takes them."""
        if self.found.get("", {}).get("one_dimensional"):
            return table.iloc[:, 0].tolist()
        return table if self.is_frame else table.to_numpy()


def training_data(
    estimator: Any, data: Any, target: str = "", features: Sequence[str] = ()
) -> TrainingData:
    """``data`` is a data frame, an array, or a list of texts. Raises ArtifactError."""
    table, is_frame = _as_table(estimator, data)
    wanted = _wanted(estimator, list(table.columns), target, features)
    found = _shown(estimator, wanted)
    chosen = table[wanted].reset_index(drop=True)
    numbers = all(pd.api.types.is_numeric_dtype(kind) for kind in chosen.dtypes)
    many = len(wanted) > (MAX_FEATURES if is_frame else _LONG)
    return TrainingData(
        chosen, found, is_frame,
        ignored=[name for name in table.columns if name not in wanted],
        as_list=many and numbers and not chosen.isna().any(axis=None),
    )  # fmt: skip


def read_training_data(
    estimator: Any, path: Path, target: str = "", features: Sequence[str] = ()
) -> Iterator[TrainingData]:
    """The file in each way its columns may be meant, the likeliest first.

    Raises ArtifactError when it cannot be read, or its columns are not the estimator's.
    """
    if read := _OF_COLUMNS.get(path.suffix.lower()):
        yield training_data(estimator, read(path), target, features)
        return
    named = _fitted_names(estimator)
    dialect = _dialect(path, [*named, *features, target])
    how: dict[str, Any] = {
        "sep": dialect.separator, "low_memory": False,
        "encoding": "utf-8-sig" if dialect.codec == "utf-8" else "utf-16",
    }  # fmt: skip
    header = [str(name) for name in pd.read_csv(path, nrows=0, **how).columns]
    if not (target or features or named or hasattr(estimator, "n_features_in_")) and header[1:]:
        raise ArtifactError(
            f"the model does not say which of the columns it takes: {_few(header)}. Name the one "
            "that is to be predicted as the target, or list the features"
        )
    wanted = _wanted(estimator, header, target, features)
    texts = {
        name: set(found.get("labels", {}))
        for name, found in _shown(estimator, wanted).items()
        if name and found.get("type") in ("choice", "text")
    }
    # a category such as "NA" is read as such, and a number that is one as text
    blanks = {name: sorted(_BLANKS - texts.get(name, set())) for name in header}
    kinds = dict.fromkeys(texts, str)
    table = pd.read_csv(path, dtype=kinds, na_values=blanks, keep_default_na=False, **how)
    others = [name for name in wanted if name not in texts]
    table = table.assign(**{name: _with_point(table[name], dialect) for name in others})
    table = table.assign(**_categories(estimator, table[wanted]))
    data = training_data(estimator, table, target, wanted)
    data = replace(data, is_frame=bool(named) or not _all_numbers(data.table))
    days = {name: day for name in others if (day := _as_dates(data.table[name])) is not None}
    if days:
        yield replace(data, table=data.table.assign(**days))
    yield data


def _as_table(estimator: Any, data: Any) -> tuple[pd.DataFrame, bool]:
    """``data`` with named columns, and whether the estimator is given them by name."""
    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if hasattr(data, "toarray"):
        raise ArtifactError("the data are a sparse matrix: hand over X.toarray()")
    if isinstance(data, pd.Series):
        data = data.to_frame(data.name or "text")
    if isinstance(data, pd.DataFrame):
        if not data.columns.is_unique:
            raise ArtifactError("two columns of the data have the same name: rename one")
        plain = all(isinstance(name, str) for name in data.columns)
        return data.rename(columns=str if plain else "x{}".format), plain
    array = np.asarray(data)
    if array.ndim == 1 and array.dtype.kind in "UOT":
        return pd.DataFrame({"text": array}), False
    if array.ndim != 2:
        raise ArtifactError(
            f"the data have {array.ndim} dimensions: hand over a table of two, a row per case and "
            "a column per feature"
        )
    named = _fitted_names(estimator)
    fits = len(named) == array.shape[1]
    names = named if fits else [f"x{place}" for place in range(array.shape[1])]
    return pd.DataFrame(array, columns=names).infer_objects(), fits


def _fitted_names(estimator: Any) -> list[str]:
    names = getattr(estimator, "feature_names_in_", getattr(estimator, "feature_names_", None))
    names = [] if names is None else [str(name) for name in names]
    # CatBoost names the columns of an array by their numbers
    return [] if names == [str(place) for place in range(len(names))] else names


def _wanted(
    estimator: Any, header: Sequence[str], target: str, features: Sequence[str]
) -> list[str]:
    """The names of the estimator's columns, in its order."""
    if target and target not in header:
        raise ArtifactError(f"the data have no column {target!r}; they have {_few(header)}")
    # pandas writes an index without a name
    others = [name for name in header if name not in (target, "Unnamed: 0")]
    wanted = list(features) or _fitted_names(estimator) or others
    if missing := [name for name in wanted if name not in header]:
        raise ArtifactError(
            f"the model was fitted on the column {missing[0]!r}, which the data do not have; they "
            f"have {_few(header)}: hand over the very table that was given to fit"
        )
    width = getattr(estimator, "n_features_in_", 0)
    unknown = not (width or _fitted_names(estimator))
    texts = unknown and _shown(estimator, wanted[:1]).get("", {}).get("one_dimensional")
    if len(wanted) != (1 if texts else width or len(wanted)):
        takes = "one column of texts" if texts else f"{width} columns"
        raise ArtifactError(
            f"the model was fitted on {takes}, the data have {len(wanted)}: {_few(wanted)}. Name "
            "the one that is to be predicted as the target, or list the features"
        )
    return wanted


def _shown(estimator: Any, names: Sequence[str]) -> Found:
    """What the estimator shows of columns of which nothing is known but the names."""
    if not 0 < len(names) <= MAX_FEATURES:
        return {}
    return discover(build_contract(dict.fromkeys(names, 0), _other_than(names)), estimator).kinds


def _categories(estimator: Any, table: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns that were of pandas' categories when the estimator was fitted, as such."""
    texts = {n: sorted({c for c in table[n] if isinstance(c, str) and c.strip()}) for n in table}
    if len(texts) > MAX_FEATURES:
        return {}
    lookup = {name: known[:MAX_LABELS] or 0 for name, known in texts.items()}
    kinds = discover(build_contract(lookup, _other_than(texts)), estimator).kinds
    return {
        name: table[name].astype(pd.CategoricalDtype(found["categories"]))
        for name, found in kinds.items()
        if found.get("column") == "category"
    }


def _other_than(names: Collection[str]) -> list[str]:
    """The flags of a contract in which only the features matter."""
    return ["output" + "_" * max(map(len, names), default=0)]


def _dialect(path: Path, wanted: Sequence[str]) -> Dialect:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return CsvFile(file, wanted).dialect  # type: ignore[arg-type] # a GzipFile is read alike
    except UnreadableCSV as error:
        hint = ": save it in UTF-8" if isinstance(error.__cause__, UnicodeDecodeError) else ""
        raise ArtifactError(f"{path.name}: {error}{hint}") from error
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error


def _with_point(column: pd.Series, dialect: Dialect) -> pd.Series:
    """A column of numbers that are written with a decimal comma, as numbers."""
    texts = column.dropna()
    if dialect.separator == "," or not texts.map(lambda cell: isinstance(cell, str)).all():
        return column
    pointed = pd.to_numeric(texts.map(dialect.with_point), errors="coerce")
    return column if pointed.isna().any() else pointed.reindex(column.index)


def _as_dates(column: pd.Series) -> pd.Series | None:
    """A column of dates in ISO 8601; None where it is something else."""
    if not column.dropna().map(lambda cell: isinstance(cell, str) and "-" in cell).all():
        return None
    dates = pd.to_datetime(column, format="ISO8601", errors="coerce")
    same = column.notna().any() and (dates.isna() == column.isna()).all()
    return dates if same else None


def _all_numbers(table: pd.DataFrame) -> bool:
    return all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (" and more" if len(names) > 10 else "")
