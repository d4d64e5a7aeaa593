"""References of the caller's own, one for each item: beside its features, or in a CSV's column."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.untrusted import WHOLE, shown
from predictor.predictions.asker import Asker, reference_text

PARAMETER = "reference"  # of the query: the name of the field, or of the column


class References(NamedTuple):
    """One reference for each item, or what is wrong with some; none of either: the asker's."""

    texts: Sequence[str] = ()
    errors: Sequence[FieldError] = ()

    def of(self, asker: Asker) -> list[Asker]:
        """The asker of each item, with the item's own reference where it has one."""
        return [asker._replace(reference=text) if text else asker for text in self.texts]


NONE = References()


def check_field(field: str, contract: Contract, taken: Collection[str]) -> None:
    """Raises InvalidInput where ``field`` cannot be a reference's beside this model's own.

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
    """The items without ``field``, and what was in it; as they are where ``field`` is empty."""
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
    """Raises InvalidInput naming it ``name``. What is no object is the encoder's to refuse."""
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
    """Whether every JSON writer can write it; none can half a surrogate pair."""
    if isinstance(value, int):
        return value in WHOLE
    return not any("\ud800" <= character <= "\udfff" for character in value)
