"""The data an estimator was fitted on: a table of its own columns, in its own order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictor.artifacts.contract import MAX_FEATURES, build_contract
from predictor.artifacts.discovery import discover
from predictor.artifacts.errors import ArtifactError

Found = Mapping[str, Mapping[str, Any]]

_LONG = 40  # columns without names, beyond which they become one list of numbers


@dataclass(frozen=True)
class TrainingData:
    """The estimator's columns of the training data; ``found`` is what it reveals of each."""

    table: pd.DataFrame
    found: Found
    is_frame: bool  # whether the estimator is given a data frame, not an array
    ignored: Sequence[str] = ()  # columns that are no features
    as_list: bool = False  # whether all columns are one list of numbers

    def given(self, table: pd.DataFrame) -> Any:
        """Rows of the table in the form the estimator was fitted on."""
        whole = self.found.get("", {})
        if whole.get("one_dimensional"):
            return table.iloc[:, 0].tolist()
        if whole.get("records"):
            rows = table.astype(object).to_dict("records")
            return list(map(_without_gaps, rows))
        as_none = [n for n in table if self.found.get(n, {}).get("missing_as") == "none"]
        if as_none:  # pandas turns each None into NaN
            table = table.astype(dict.fromkeys(as_none, object))
            table[as_none] = table[as_none].where(table[as_none].notna(), None)
        return table if self.is_frame else table.to_numpy()


def _without_gaps(row: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: cell for name, cell in row.items() if pd.notna(cell)}


def training_data(
    estimator: Any, data: Any, target: str = "", features: Sequence[str] = ()
) -> TrainingData:
    """``data`` is a data frame, an array, or a list of texts or of dictionaries.

    Raises ArtifactError.
    """
    table, is_frame = _as_table(estimator, data)
    wanted = chosen_columns(estimator, list(table.columns), target, features)
    found = what_is_shown(estimator, wanted)
    chosen = table[wanted].reset_index(drop=True)
    numbers = all(pd.api.types.is_numeric_dtype(kind) for kind in chosen.dtypes)
    many = len(wanted) > (MAX_FEATURES if is_frame else _LONG)
    return TrainingData(
        chosen, found, is_frame,
        ignored=[name for name in table.columns if name not in wanted],
        as_list=many and numbers and not chosen.isna().any(axis=None),
    )  # fmt: skip


def _as_table(estimator: Any, data: Any) -> tuple[pd.DataFrame, bool]:
    """``data`` with named columns, and whether the estimator looks columns up by name."""
    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if hasattr(data, "toarray"):
        raise ArtifactError("the data is a sparse matrix: pass X.toarray()")
    if isinstance(data, pd.Series):
        data = data.to_frame(data.name or "text")
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        data = pd.DataFrame(data)
    if isinstance(data, pd.DataFrame):
        return _named_by_text(data)
    return _of_array(estimator, np.asarray(data))


def _named_by_text(data: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    if not data.columns.is_unique:
        raise ArtifactError("two columns of the data have the same name: rename one")
    plain = all(isinstance(name, str) for name in data.columns)
    return data.rename(columns=str if plain else "x{}".format), plain


def _of_array(estimator: Any, array: np.ndarray[Any, Any]) -> tuple[pd.DataFrame, bool]:
    if array.ndim == 1 and array.dtype.kind in "UOT":
        return pd.DataFrame({"text": array}), False
    if array.ndim != 2:
        raise ArtifactError(
            f"the data has {array.ndim} dimensions: pass a table of two, with a row per case and "
            "a column per feature"
        )
    named = fitted_names(estimator)
    fits = len(named) == array.shape[1]
    names = named if fits else [f"x{place}" for place in range(array.shape[1])]
    return pd.DataFrame(array, columns=names).infer_objects(), fits


def fitted_names(estimator: Any) -> list[str]:
    """The names of the columns the estimator was fitted on; empty where it kept none."""
    names = getattr(estimator, "feature_names_in_", getattr(estimator, "feature_names_", None))
    names = [] if names is None else [str(name) for name in names]
    # CatBoost names the columns of an array by their numbers
    return [] if names == [str(place) for place in range(len(names))] else names


def chosen_columns(
    estimator: Any, header: Sequence[str], target: str, features: Sequence[str]
) -> list[str]:
    """The names of the estimator's columns, in its order."""
    if target and target not in header:
        raise ArtifactError(f"the data has no column {target!r}; it has {few(header)}")
    # pandas writes its index as a column without a name
    others = [name for name in header if name not in (target, "Unnamed: 0")]
    wanted = list(features) or fitted_names(estimator) or others
    if missing := [name for name in wanted if name not in header]:
        raise ArtifactError(
            f"the model was fitted on the column {missing[0]!r}, which the data does not have; it "
            f"has {few(header)}: pass the table that was passed to fit"
        )
    _check_width(estimator, wanted)
    return wanted


def _check_width(estimator: Any, wanted: list[str]) -> None:
    """Raises ArtifactError where the estimator was fitted on more columns, or fewer."""
    width = getattr(estimator, "n_features_in_", 0)
    unknown = not (width or fitted_names(estimator))
    texts = unknown and what_is_shown(estimator, wanted[:1]).get("", {}).get("one_dimensional")
    if len(wanted) != (1 if texts else width or len(wanted)):
        takes = "one column of texts" if texts else f"{width} columns"
        raise ArtifactError(
            f"the model was fitted on {takes}, the data has {len(wanted)}: {few(wanted)}. Name "
            "the one that is to be predicted as the target, or list the features"
        )


def what_is_shown(estimator: Any, names: Sequence[str]) -> Found:
    """What the estimator reveals of columns of which only the names are known."""
    if not 0 < len(names) <= MAX_FEATURES:
        return {}
    return discover(build_contract(dict.fromkeys(names, 0), flag_beside(names)), estimator).kinds


def flag_beside(names: Collection[str]) -> list[str]:
    """A placeholder flag, for a contract in which only the features matter."""
    return ["output" + "_" * max(map(len, names), default=0)]


def few(names: Sequence[str]) -> str:
    """The first of ``names``, for a message."""
    return ", ".join(map(repr, names[:10])) + (" and more" if len(names) > 10 else "")
