"""Checks of the parts from which transformers make wide arrays and sparse matrices."""

from typing import Any

import numpy as np

from .soundness import require, within


def check_one_hot(encoder: Any) -> None:
    """The encoder writes as many columns as it has categories."""
    categories = getattr(encoder, "categories_", None)
    if categories is None:
        return
    require(
        encoder._n_features_outs == encoder._compute_n_features_outs(),  # noqa: SLF001
        "an encoder counts its columns wrongly",
    )


def check_infrequent(encoder: Any) -> None:
    """Where rare categories share a column, the map of the others leads to existing columns."""
    maps: Any = getattr(encoder, "_default_to_infrequent_mappings", None)
    rare: Any = getattr(encoder, "_infrequent_indices", None)
    if maps is None and rare is None:
        return
    categories = encoder.categories_
    require(type(maps) is list and type(rare) is list
            and len(maps) == len(rare) == len(categories)
            and encoder._infrequent_enabled is True,  # noqa: SLF001
            "an encoder maps its categories oddly")  # fmt: skip
    for places, few, known in zip(maps, rare, categories, strict=True):
        require((places is None) == (few is None), "an encoder maps its categories oddly")
        if places is not None:
            _check_rare_categories(places, few, len(known))


def _check_rare_categories(places: Any, rare: Any, known: int) -> None:
    """The rare categories of one feature share the column after those of the others."""
    frequent = len(places) - len(rare)
    require(known - 1 <= len(places) <= known and within(rare, 0, len(places))
            and within(places, 0, frequent + 1)
            and len(np.unique(rare)) == len(rare)
            and bool((np.asarray(places)[rare] == frequent).all()),
            "an encoder maps its categories oddly")  # fmt: skip


def check_bins(discretizer: Any) -> None:
    """The inner encoder knows exactly the discretizer's bins."""
    encoder = getattr(discretizer, "_encoder", None)
    if encoder is None:
        return
    bins = np.asarray(discretizer.n_bins_)
    require(type(encoder).__name__ == "OneHotEncoder" and bins.dtype.kind in "iu"
            and [len(known) for known in encoder.categories_] == bins.tolist()
            and encoder.n_features_in_ == discretizer.n_features_in_ == len(bins),
            "a discretizer encodes other bins than it makes")  # fmt: skip


def check_leaves(embedding: Any) -> None:
    """Each tree of a random embedding is one column to the inner encoder."""
    encoder = getattr(embedding, "one_hot_encoder_", None)
    if encoder is None:
        return
    trees = [tree.tree_ for tree in embedding.estimators_]
    require(type(encoder).__name__ == "OneHotEncoder" and encoder.n_features_in_ == len(trees)
            and all(within(np.asarray(known), 0, tree.node_count)
                    for known, tree in zip(encoder.categories_, trees, strict=True)),
            "a random embedding encodes other leaves than it has")  # fmt: skip


# Arguments a function may get besides rows: "where" and "out" would leave the answer's memory
# unwritten, with data of the request before.
_ARGUMENTS = {
    "around": {"decimals"}, "round": {"decimals"}, "round_": {"decimals"},
    "clip": {"a_min", "a_max", "min", "max"}, "nan_to_num": {"nan", "posinf", "neginf"},
}  # fmt: skip


def check_function(transformer: Any) -> None:
    """A function's arguments may change its numbers, not its memory."""
    for function, given in (
        (transformer.func, transformer.kw_args),
        (transformer.inverse_func, transformer.inv_kw_args),
    ):
        known = _ARGUMENTS.get(getattr(function, "__name__", ""), set())
        require(not given or (type(given) is dict and given.keys() <= known
                              and all(type(value) in _PLAIN for value in given.values())),
                "a function is given arguments it may not have")  # fmt: skip


_PLAIN = (type(None), bool, int, float)


def check_vocabulary(vectorizer: Any) -> None:
    """Each word has a column of its own: the matrix is as wide as the vocabulary."""
    vocabulary = getattr(vectorizer, "vocabulary_", None)
    if vocabulary is None:
        return
    # a defaultdict would add a request's words, and be wider for the next request
    require(type(vocabulary) is dict, "a vectorizer's vocabulary is no dictionary")
    columns = list(vocabulary.values())
    require(all(isinstance(column, int | np.integer) for column in columns)
            and sorted(columns) == list(range(len(columns))),
            "a vectorizer has odd columns")  # fmt: skip


def check_encodings(encoder: Any) -> None:
    """Each column of a target encoder's answer has its own encoding."""
    encodings = getattr(encoder, "encodings_", None)
    if encodings is None:
        return
    classes = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    known = [len(one) for one in encoder.categories_ for _ in range(classes)]
    require(type(encodings) is list and len(encoder.categories_) == encoder.n_features_in_
            and [np.shape(one) for one in encodings] == [(count,) for count in known]
            and np.size(encoder.target_mean_) == classes,
            "a target encoder leaves columns empty")  # fmt: skip


def check_hasher(hasher: Any) -> None:
    """The hasher divides by its number of columns, which must not be zero."""
    require(type(hasher.n_features) is int and 0 < hasher.n_features < 2**31,
            "a hasher has an odd number of columns")  # fmt: skip
    if hasattr(hasher, "input") and hasattr(hasher, "analyzer"):
        check_vectorizer(hasher)


def check_vectorizer(vectorizer: Any) -> None:
    """Text comes from the request, never from a file."""
    require(vectorizer.input == "content", "a text vectorizer reads files")
    check_vocabulary(vectorizer)


def check_polynomial(features: Any) -> None:
    """The array has as many columns as are filled: others would show uninitialised memory."""
    if not hasattr(features, "_n_out_full"):
        return

    def columns(least: int) -> Any:
        return features._num_combinations(  # noqa: SLF001
            n_features=features.n_features_in_,
            min_degree=least,
            max_degree=features._max_degree,  # noqa: SLF001
            interaction_only=features.interaction_only,
            include_bias=features.include_bias,
        )

    require(features.n_output_features_ == columns(features._min_degree)  # noqa: SLF001
            and features._n_out_full == columns(0),  # noqa: SLF001
            "polynomial features are counted wrongly")  # fmt: skip


def check_sparse(matrix: Any) -> None:
    """Indices are within the shape, and there is as much data as counted."""
    kind = getattr(matrix, "format", None)
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        require(condition=False, what="a sparse matrix is of no known kind")
    else:
        check(matrix)


def _check_compressed(matrix: Any) -> None:
    matrix.check_format(full_check=True)


def _check_coordinates(matrix: Any) -> None:
    matrix._check()  # noqa: SLF001


def _check_diagonals(matrix: Any) -> None:
    data, offsets = np.asarray(matrix.data), np.asarray(matrix.offsets)
    require(offsets.dtype.kind == "i" and offsets.ndim == 1 and data.ndim == 2
            and len(data) == len(offsets), "a sparse matrix has odd diagonals")  # fmt: skip


def _check_keys(matrix: Any) -> None:
    for key in matrix._dict:  # noqa: SLF001
        at = key if isinstance(key, tuple) else (key,)
        require(len(at) == len(matrix.shape)
                and all(within(i, 0, n) for i, n in zip(at, matrix.shape, strict=True)),
                "a sparse matrix has odd indices")  # fmt: skip


def _check_lists(matrix: Any) -> None:
    rows, data = np.asarray(matrix.rows), np.asarray(matrix.data)
    height, width = matrix.shape
    require(rows.dtype == data.dtype == object and rows.shape == data.shape == (height,),
            "a sparse matrix has odd rows")  # fmt: skip
    for columns, values in zip(rows, data, strict=True):
        require(type(columns) is list and type(values) is list and len(columns) == len(values)
                and all(type(column) is int and 0 <= column < width for column in columns),
                "a sparse matrix has odd rows")  # fmt: skip


_CHECKS = {
    "csr": _check_compressed, "csc": _check_compressed, "bsr": _check_compressed,
    "coo": _check_coordinates, "dia": _check_diagonals, "lil": _check_lists, "dok": _check_keys,
}  # fmt: skip
