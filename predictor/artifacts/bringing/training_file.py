"""A file of training data, read as pandas would read it for training."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from predictor.artifacts.contract import MAX_FEATURES, build_contract
from predictor.artifacts.discovery import discover
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.lookup_values import MAX_LABELS
from predictor.artifacts.untrusted import sentence

from .training_data import (
    TrainingData,
    chosen_columns,
    few,
    fitted_names,
    flag_beside,
    training_data,
    what_is_shown,
)

_OF_COLUMNS = {".parquet": pd.read_parquet, ".feather": pd.read_feather}
_SEPARATORS = ",;\t|"
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*(,\d+)?(?:[eE][+-]?\d+)?\s*", re.ASCII)
# Texts that pandas reads as missing, unless the estimator has them as a category.
_BLANKS = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip


def read_training_data(
    estimator: Any, path: Path, target: str = "", features: Sequence[str] = ()
) -> Iterator[TrainingData]:
    """The possible readings of the file's columns, the likeliest first.

    Raises ArtifactError when it cannot be read, or its columns are not the estimator's.
    """
    if path.suffix.lower() in _OF_COLUMNS:
        yield training_data(estimator, _readable(path, _columns), target, features)
        return
    named = fitted_names(estimator)
    how = _dialect(path, {*named, *features, target})
    header = [str(name) for name in _read(path, nrows=0, **how).columns]
    if not any((target, features, named)):
        _check_alone(estimator, header)
    wanted = chosen_columns(estimator, header, target, features)
    texts = _of_texts(estimator, wanted)
    # a category such as "NA" is not read as missing, and a category such as "1" is read as text
    blanks = {name: sorted(_BLANKS - texts.get(name, set())) for name in header}
    kinds = dict.fromkeys(texts, str)
    table = _read(path, dtype=kinds, na_values=blanks, keep_default_na=False, **how)
    others = [name for name in wanted if name not in texts]
    table = table.assign(**{name: _with_point(table[name], how["sep"]) for name in others})
    table = table.assign(**_categories(estimator, table[wanted]))
    data = training_data(estimator, table, target, wanted)
    data = replace(data, is_frame=bool(named) or not _all_numbers(data.table))
    if days := _dated(data.table, others):
        yield replace(data, table=data.table.assign(**days))
    yield data


def _check_alone(estimator: Any, header: Sequence[str]) -> None:
    """Raises ArtifactError where it is unknown which of several columns the estimator takes."""
    if len(header) > 1 and not hasattr(estimator, "n_features_in_"):
        raise ArtifactError(
            f"the model does not say which of the columns it takes: {few(header)}. Name the one "
            "that is to be predicted as the target, or list the features"
        )


def _of_texts(estimator: Any, wanted: Sequence[str]) -> dict[str, set[str]]:
    """The columns from which the estimator takes texts, each with the texts that it knows."""
    return {
        name: set(found.get("labels", {}))
        for name, found in what_is_shown(estimator, wanted).items()
        if name and found.get("type") in ("choice", "text")
    }


def _read(path: Path, **how: Any) -> pd.DataFrame:
    return _readable(path, pd.read_csv, **how)


def _readable(path: Path, read: Callable[..., Any], **how: Any) -> Any:
    """What ``read`` makes of the file. Raises ArtifactError for a file that is damaged or other."""
    try:
        return read(path, **how)
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path.name} is not UTF-8: save it as CSV in UTF-8") from error
    except ImportError as error:
        raise ArtifactError(f"{path.name} needs a package: pip install pyarrow") from error
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zlib.error) as error:  # pyarrow's errors are ValueErrors
        kind = (
            path.suffix.removeprefix(".")
            if path.suffix.lower() in _OF_COLUMNS
            else "CSV with a header"
        )
        said = sentence(str(error), 200)
        raise ArtifactError(f"{path.name} is no {kind}: {said}") from error


def _columns(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:
        return _OF_COLUMNS[path.suffix.lower()](file)


def _first_line(path: Path) -> bytes:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        return file.readline()


def _dialect(path: Path, wanted: set[str]) -> dict[str, Any]:
    """How pandas reads the file. Raises ArtifactError when it cannot be read as text."""
    head = _readable(path, _first_line)
    if head.startswith((b"PK", b"\xd0\xcf")):
        raise ArtifactError(f"{path.name} is a workbook: save it as CSV in UTF-8")
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    line = head.decode(encoding, errors="ignore")

    def found(separator: str) -> tuple[int, int]:
        names = [name.strip('" \r\n') for name in line.split(separator)]
        return len(wanted & set(names)), len(names)

    return {"sep": max(_SEPARATORS, key=found), "encoding": encoding, "low_memory": False}


def _categories(estimator: Any, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Make pandas categories of the columns that were categories when the estimator was fitted."""
    texts = {n: sorted({c for c in table[n] if isinstance(c, str) and c.strip()}) for n in table}
    if len(texts) > MAX_FEATURES:
        return {}
    lookup = {name: known[:MAX_LABELS] or 0 for name, known in texts.items()}
    kinds = discover(build_contract(lookup, flag_beside(texts)), estimator).kinds
    return {
        name: _of_categories(table[name], found["categories"])
        for name, found in kinds.items()
        if found.get("column") == "category"
    }


def _of_categories(column: pd.Series, categories: Sequence[Any]) -> pd.Series:
    """By equality: pandas does not find True among the categories 0.0 and 1.0."""
    cells = column.tolist()
    own = {cell: cell for cell in cells}
    places = {known: place for place, known in enumerate(categories)}
    codes = [places.get(cell, -1) for cell in cells]
    known = pd.Categorical.from_codes(codes, [own.get(known, known) for known in categories])
    return pd.Series(known, column.index)


def _with_point(column: pd.Series, separator: str) -> pd.Series:
    """A column of numbers with a decimal comma, as numbers."""
    texts = column.dropna()
    if separator == "," or not all(
        isinstance(cell, str) and _DECIMAL_COMMA.fullmatch(cell) for cell in texts
    ):
        return column
    pointed = pd.to_numeric(texts.str.strip().str.replace(",", "."), errors="coerce")
    return column if pointed.isna().any() else pointed.reindex(column.index)


def _dated(table: pd.DataFrame, names: Sequence[str]) -> dict[str, pd.Series]:
    """The table with its columns of dates as dates."""
    return {name: days for name in names if (days := _as_dates(table[name])) is not None}


def _as_dates(column: pd.Series) -> pd.Series | None:
    """A column of dates in ISO 8601; None where it is something else."""
    if not column.dropna().map(lambda cell: isinstance(cell, str) and "-" in cell).all():
        return None
    dates = pd.to_datetime(column, format="ISO8601", errors="coerce")
    same = column.notna().any() and (dates.isna() == column.isna()).all()
    return dates if same else None


def _all_numbers(table: pd.DataFrame) -> bool:
    return all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)
