"""The few functions that loading may call, each with a check of its arguments.

A check gets the drawn arguments (see ``blueprint.py``) and returns the call's result: a Made, or
the value itself where that is text or bytes. Arguments that pickle does not write for an estimator
raise UnwantedError; the message completes "model.pkl …".
"""

from collections.abc import Callable
from typing import Any

from . import numpy_calls, python_calls, sklearn_calls
from .blueprint import CallCheck, Made, Name, UnwantedError, canonical

_LOSSES = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")


def check_call(maker: Name, args: tuple[Any, ...]) -> Any:
    """The result of calling ``maker`` with ``args``. Raises UnwantedError if not allowed."""
    if check := CALLS.get((canonical(maker.module), maker.name)):
        return check(maker, args)
    if maker.kind == "compiled" and maker.module in _LOSSES:
        return python_calls.numbers(maker, args)
    raise UnwantedError(f"calls {maker}, which is stored but never called in an estimator")


def check_state(made: Made, state: Any) -> None:
    """Raises UnwantedError when pickle would not give such an object this ``state``."""
    maker = (canonical(made.maker.module), made.maker.name)
    if check := _STATES.get(maker):
        check(made, state)
    elif made.cls.kind in ("estimator", "plain"):
        sklearn_calls.check_attributes(made, state)
    elif maker not in _FREE_STATES and made.cls.kind != "trusted":
        raise UnwantedError(f"sets the state of a {made.cls}, which has none")


_DISTANCES = "sklearn.metrics._dist_metrics"
_TREE = ("sklearn.tree._tree", "Tree")
_SEED = ("numpy.random.bit_generator", "SeedSequence")
_MULTINOMIAL = (_LOSSES[0], "CyHalfMultinomialLoss")
_NUMPY_RANDOM = "numpy.random._pickle"

CALLS: dict[tuple[str, str], CallCheck] = {
    ("_codecs", "encode"): python_calls.latin1_bytes,
    ("builtins", "bytearray"): python_calls.new_bytearray,
    ("builtins", "bytes"): python_calls.empty_bytes,
    ("builtins", "complex"): python_calls.numbers,
    ("builtins", "frozenset"): python_calls.collection,
    ("builtins", "range"): python_calls.whole_numbers,
    ("builtins", "set"): python_calls.collection,
    ("builtins", "slice"): python_calls.whole_numbers,
    ("collections", "OrderedDict"): python_calls.empty_container,
    ("collections", "defaultdict"): python_calls.defaultdict,
    ("copyreg", "_reconstructor"): python_calls.reconstructor,
    ("functools", "partial"): python_calls.partial,
    ("numpy", "dtype"): numpy_calls.dtype,
    ("numpy._core.multiarray", "_reconstruct"): numpy_calls.array,
    ("numpy._core.multiarray", "scalar"): numpy_calls.scalar,
    ("numpy._core.numeric", "_frombuffer"): numpy_calls.from_buffer,
    ("numpy.ma.core", "_mareconstruct"): numpy_calls.masked,
    (_NUMPY_RANDOM, "__bit_generator_ctor"): numpy_calls.random_generator,
    (_NUMPY_RANDOM, "__generator_ctor"): numpy_calls.random_generator,
    (_NUMPY_RANDOM, "__randomstate_ctor"): numpy_calls.random_generator,
    ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"): numpy_calls.unpickle_of(*_SEED),
    (_LOSSES[0], "__pyx_unpickle_CyHalfMultinomialLoss"): numpy_calls.unpickle_of(*_MULTINOMIAL),
    (_DISTANCES, "newObj"): sklearn_calls.new_object,
    ("sklearn.impute._iterative", "_ImputerTriplet"): sklearn_calls.imputer_step,
    ("sklearn.neighbors._ball_tree", "newObj"): sklearn_calls.new_object,
    ("sklearn.neighbors._kd_tree", "newObj"): sklearn_calls.new_object,
    _TREE: sklearn_calls.new_tree,
}

# Named tuples: pickle makes them as it makes objects, with their items as arguments.
MADE_OF_PARTS = frozenset({("sklearn.impute._iterative", "_ImputerTriplet")})

# Types that are named only as an argument of the calls above.
CALLED_TYPES = (
    ("numpy", "ndarray"), ("numpy.ma", "MaskedArray"), _SEED,
    ("numpy.random._mt19937", "MT19937"), ("numpy.random._pcg64", "PCG64"),
    ("numpy.random._pcg64", "PCG64DXSM"), ("numpy.random._philox", "Philox"),
    ("numpy.random._sfc64", "SFC64"),
)  # fmt: skip

_STATES: dict[tuple[str, str], Callable[[Made, Any], None]] = {
    ("functools", "partial"): python_calls.partial_state,
    ("numpy", "dtype"): numpy_calls.dtype_state,
    ("numpy._core.multiarray", "_reconstruct"): numpy_calls.array_state,
    ("numpy.ma.core", "_mareconstruct"): numpy_calls.masked_state,
    (_NUMPY_RANDOM, "__bit_generator_ctor"): numpy_calls.random_state,
    (_NUMPY_RANDOM, "__generator_ctor"): numpy_calls.random_state,
    (_NUMPY_RANDOM, "__randomstate_ctor"): numpy_calls.random_state,
    (_DISTANCES, "newObj"): sklearn_calls.distance_state,
    ("sklearn.neighbors._ball_tree", "newObj"): sklearn_calls.neighbour_state,
    ("sklearn.neighbors._kd_tree", "newObj"): sklearn_calls.neighbour_state,
    _TREE: sklearn_calls.tree_state,
}

# Types that check their state themselves.
_FREE_STATES = (("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),)
