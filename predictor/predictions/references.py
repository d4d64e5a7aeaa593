"""The caller's references, one for each item: in a field of it, or in a column of a CSV."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.untrusted import WHOLE, shown
from predictor.predictions.origin import Origin, reference_text

PARAMETER = "reference"  # the query parameter that names the field or the column


class References(NamedTuple):
    """One reference for each item, or errors for some; with neither, the origin's counts."""

    texts: Sequence[str] = ()
    errors: Sequence[FieldError] = ()

    def of(self, origin: Origin) -> list[Origin]:
        """The origin of each item, with the item's own reference if it has one."""
        return [origin._replace(reference=text) if text else origin for text in self.texts]


NONE = References()


def check_field(field: str, contract: Contract, taken: Collection[str]) -> None:
    """Raises InvalidInput where ``field`` has the name of a feature or of a field of the answer.

    ``taken`` are names that the answer uses besides the flags.
    """
    if any(field == feature.name for feature in contract.features):
        message = f"'{shown(field)}' is a feature; a reference is a field beside the features"
    elif field in contract.flag_names or field in taken:
        message = f"the answer has a '{shown(field)}' of its own; give the reference another name"
    else:
        return
    raise InvalidInput([FieldError(PARAMETER, message)])


def split_references(
    items: Sequence[Any], field: str, *, in_array: bool
) -> tuple[list[Any], References]:
    """The items without ``field``, and its values; unchanged items if ``field`` is empty."""
    if not field:
        return list(items), NONE
    rest: list[Any] = []
    texts: list[str] = []
    errors: list[FieldError] = []
    for index, item in enumerate(items):
        name = f"[{index}].{field}" if in_array else field
        try:
            texts.append(_reference_in(item, field, name))
        except InvalidInput as invalid:
            errors += invalid.errors
        without = isinstance(item, dict) and field in item
        rest.append({k: v for k, v in item.items() if k != field} if without else item)
    return rest, References(texts, errors)


def _reference_in(item: Any, field: str, name: str) -> str:
    """Raises InvalidInput for field ``name``. The encoder refuses an item that is not an object."""
    if not isinstance(item, dict):
        return ""
    if field not in item:
        raise InvalidInput([FieldError(name, "this field is required: ?reference= names it")])
    value = item[field]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or not _can_come_back(value):
        raise InvalidInput([FieldError(name, "a reference is a text, or a number of whole digits")])
    return reference_text(str(value), name)


def _can_come_back(value: str | int) -> bool:
    """Whether every JSON writer can write the text, which none can with a lone surrogate."""
    if isinstance(value, int):
        return value in WHOLE
    return not any("\ud800" <= character <= "\udfff" for character in value)
