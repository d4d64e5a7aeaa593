"""The outputs' names, from any form that ``flags.pkl`` may have, and their classes."""

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from .errors import ArtifactError
from .metadata import is_number, text, written
from .names import first_twin

MAX_FLAGS = 10_000


def read_flags(flags: Any) -> tuple[list[str], list[str] | None]:
    """The names, and the class of each where ``flags`` maps classes to names.

    Raises ArtifactError when it is neither a list, an array nor a map of names.
    """
    if hasattr(flags, "tolist"):  # model.classes_ itself
        flags = flags.tolist()
    if not isinstance(flags, Mapping):
        return _listed(flags), None
    by_class = _by_class(flags)
    classes = [written("flags.pkl: a class", key) for key in by_class]
    names = [text("flags.pkl: the name of a class", name) for name in by_class.values()]
    return _listed(names), _without_twins("the class", classes)


def _listed(flags: Any) -> list[str]:
    """The names in a list."""
    if isinstance(flags, str) and flags:
        raise ArtifactError(f"flags.pkl holds a text: write a list, [{flags!r:.60}]")
    if not isinstance(flags, Sequence) or isinstance(flags, str | bytes) or not flags:
        raise ArtifactError(
            "flags.pkl must hold a list of output names, or a mapping {class: name}: "
            "list(map(str, model.classes_))"
        )
    if len(flags) > MAX_FLAGS:
        raise ArtifactError(f"flags.pkl names {len(flags):,} outputs; at most {MAX_FLAGS:,}")
    return _without_twins(
        "the output", [written("flags.pkl: an output name", flag) for flag in flags]
    )


def _without_twins(what: str, names: list[str]) -> list[str]:
    if twin := first_twin(names):
        raise ArtifactError(f"flags.pkl names {what} {twin!r} twice")
    return names


def _by_class(flags: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """``{class: name}``, also from ``{name: code}`` where no name could be a class."""
    codes = [value.item() if hasattr(value, "item") else value for value in flags.values()]
    odd = [value for value in codes if not isinstance(value, str)]
    if not odd:
        return flags
    if not all(map(_is_coded, flags, codes)):
        raise ArtifactError(
            f"flags.pkl maps a class to {odd[0]!r:.60}: write a text for each, {{class: name}}, or "
            "a list of names, list(map(str, model.classes_))"
        )
    if len(set(codes)) < len(codes):
        raise ArtifactError("flags.pkl gives two names the same code: write {class: name}")
    return dict(zip(codes, flags, strict=True))


def _is_coded(name: Any, code: Any) -> bool:
    """Whether this entry can only be a name with its code, not a class with its name."""
    if isinstance(code, bool) or is_number(code):
        return isinstance(name, str) and not _is_code(name)
    return False


def _is_code(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return name.strip().casefold() in ("true", "false")
    return True


def in_order_of(
    names: Sequence[str], keys: Sequence[str] | None, classes: Sequence[str]
) -> list[str]:
    """``names`` in the order of the estimator's ``classes`` (empty for a regressor).

    Raises ArtifactError when a map has other classes, or when names that are spelt like the classes
    are in another order.
    """
    if keys is not None:
        return _by_key(dict(zip(keys, names, strict=True)), classes)
    spelt = _places(classes)
    folded = _places([fold(name) for name in classes])  # -1 and 1 are both 1
    for place, name in enumerate(names):
        if place not in (spelt.get(name) or folded.get(fold(name)) or [place]):
            raise ArtifactError(
                f"flags.pkl lists {_few(names)}, but the model answers in the order of its "
                f"classes, {_few(classes)}: write the flags in that order, or as a mapping "
                "{class: name}"
            )
    return list(names)


def _places(names: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return places


def _by_key(named: Mapping[str, str], classes: Sequence[str]) -> list[str]:
    positions = [str(place) for place in range(len(named))]
    for keys in (list(classes), [_number_like(name) for name in classes]):
        if set(keys) == set(named):
            return [named[key] for key in keys]
    if set(positions) == set(named) and len(classes) in (0, len(named)):
        return [named[key] for key in positions]
    raise ArtifactError(
        f"flags.pkl maps {_few(list(named))}, the model's classes are {_few(classes)}: "
        "map every class to its name"
    )


def _number_like(name: str) -> str:
    """``1.0`` and ``True`` as people write such a class: ``1``."""
    return {"True": "1", "False": "0"}.get(name, name.removesuffix(".0"))


def pairing(names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """``churn → Stay`` for each class and the flag that gets its score."""
    if len(names) != len(classes):
        return []
    return [f"{known} → {name}" for known, name in zip(classes, names, strict=True)]


_MEANT = dict.fromkeys(("1", "yes", "true", "ja"), True) | dict.fromkeys(
    ("0", "no", "false", "nein"), False
)
_NEAR = 0.8  # share of letters that two similar names have in common, in order
_MOST_NEAR = 50  # classes that are compared with each other


def looks_swapped(names: Sequence[str], classes: Sequence[str]) -> bool:
    """Whether a flag says yes where its class says no, or is spelt like another flag's class."""
    said = [fold(name) for name in names], [fold(_number_like(name)) for name in classes]
    if len(names) != len(classes) or len(names) > _MOST_NEAR:
        return False
    if any(_is_nearly_another(name, place, said[1]) for place, name in enumerate(said[0])):
        return True
    if len(names) != 2:
        return False
    return [_MEANT.get(word) for words in said for word in words] == [True, False, False, True]


def _is_nearly_another(name: str, place: int, classes: Sequence[str]) -> bool:
    """Whether ``name`` is spelt much like another class and unlike its own."""
    closest = get_close_matches(name, classes, 1, _NEAR)
    return bool(closest) and not get_close_matches(name, [classes[place]], 1, _NEAR)


def fold(name: str) -> str:
    """``name`` without case, blanks, underscores and hyphens, which people write differently."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and c not in "_-")


def _few(names: Sequence[str]) -> str:
    return f"{[name[:60] for name in names[:10]]}" + (" and more" if len(names) > 10 else "")
