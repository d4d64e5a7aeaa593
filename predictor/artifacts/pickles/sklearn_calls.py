"""Calls of scikit-learn's compiled types, and the states of its objects."""

from typing import Any

from .blueprint import Made, Name, require
from .numpy_calls import dtype_of, shape_of

_DISTANCES = "sklearn.metrics._dist_metrics"


def new_object(maker: Name, args: tuple[Any, ...]) -> Made:
    """The ``newObj`` of distances and neighbour trees, which makes an empty object."""
    require(
        len(args) == 1 and isinstance(args[0], Name) and args[0].kind == "compiled"
        and args[0].module == maker.module,
        f"calls {maker} oddly",
    )  # fmt: skip
    return Made(maker, args, args[0])


def imputer_step(maker: Name, args: tuple[Any, ...]) -> Made:
    """A named tuple: the feature that is filled in, those it is guessed from, an estimator."""
    good = (
        len(args) == 3
        and (type(args[0]) is int or dtype_of(args[0])[:1] == "i")
        and dtype_of(args[1])[:1] == "i"
        and isinstance(args[2], Made)
        and args[2].cls.kind == "estimator"
    )
    require(good, f"calls {maker} oddly")
    return Made(maker, args, maker)


def new_tree(maker: Name, args: tuple[Any, ...]) -> Made:
    """Features, classes per output, outputs: the constructor copies as many as the third says."""
    require(
        len(args) == 3 and type(args[0]) is int and type(args[2]) is int
        and 0 <= args[0] < 2**31 and shape_of(args[1]) == (args[2],)
        and dtype_of(args[1]) == "i8",
        f"calls {maker} oddly",
    )  # fmt: skip
    return Made(maker, args, maker)


def tree_state(made: Made, state: Any) -> None:
    """Attributes, and as many nodes as the count says."""
    check_attributes(made, state)
    nodes = shape_of(state.get("nodes"))
    require(
        nodes is not None and nodes == (state.get("node_count"),), "counts a tree's nodes wrongly"
    )


def neighbour_state(made: Made, state: Any) -> None:
    """Four arrays, seven counts, a distance, maybe weights: ``__setstate__`` relies on that."""
    good = (
        type(state) is tuple
        and len(state) == 13
        and all(shape_of(array) is not None for array in state[:4])
        and all(type(number) is int for number in state[4:11])
        and isinstance(state[11], Made)
        and state[11].maker.module == _DISTANCES
        and (state[12] is None or shape_of(state[12]) is not None)
    )
    require(good, "sets a neighbour tree oddly")


def distance_state(made: Made, state: Any) -> None:
    """An exponent, weights, a matrix."""
    good = type(state) is tuple and len(state) == 3 and type(state[0]) is float
    good = good and all(dtype_of(array) in ("f4", "f8") for array in state[1:])
    require(good, "sets a distance oddly")


def check_attributes(made: Made, state: Any) -> None:
    """Attributes of a plain object: a dictionary whose keys are names."""
    require(type(state) is dict, f"sets the state of a {made.cls.name} with something other than a "
             "dictionary")  # fmt: skip
    for key in state:
        good = type(key) is str and not key.startswith("__")
        require(good, f"sets an odd attribute of a {made.cls.name}")
