"""The options of a prediction request: query parameters, and Idempotency-Key."""

from typing import NamedTuple

from django.http import QueryDict
from rest_framework.request import Request

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import FieldError, InvalidInput
from predictor.artifacts.support import DETAILS
from predictor.http.errors import MalformedBody
from predictor.http.short_way import PlainRequest
from predictor.predictions.attribution import EXPLAIN, MOST_ITEMS
from predictor.predictions.references import PARAMETER, check_field

IDS, ID = "ids", "id"  # the parameter, and the field of the response


class Wanted(NamedTuple):
    """The options of a request."""

    details: bool = False  # the support of each answer
    explain: bool = False  # the attribution of each answer
    ids: bool = False  # the id of each answer
    reference: str = ""  # the field, or column, with the row's own reference
    key: str | None = None  # Idempotency-Key

    def check(self, contract: Contract, items: int, *, in_array: bool) -> None:
        """Raises InvalidInput where an answer would have two fields of one name.

        Also for more than MOST_ITEMS ``items`` to explain at once.
        """
        if self.explain and items > MOST_ITEMS:
            message = f"at most {MOST_ITEMS} items of an array are explained, not {items:,}"
            raise InvalidInput([FieldError(EXPLAIN, message)])
        if self.explain and EXPLAIN in contract.flag_names:
            message = "the model has an output of that name, so no explanation can be there"
            raise InvalidInput([FieldError(EXPLAIN, message)])
        with_ids = self.with_ids(in_array=in_array)
        if with_ids and ID in contract.flag_names:
            message = "the model has an output of that name, so an answer cannot have its id there"
            raise InvalidInput([FieldError(IDS, message)])
        if self.reference:
            taken = [ID] * with_ids + [DETAILS] * self.details + [EXPLAIN] * self.explain
            check_field(self.reference, contract, taken)

    def with_ids(self, *, in_array: bool) -> bool:
        """Whether each answer has its id; a single answer's id is always in a header."""
        return self.ids or (self.details and in_array)


PLAIN = Wanted()


def wanted_by(request: Request | PlainRequest) -> Wanted:
    """The options of ``request``. Raises MalformedBody."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if not request.META.get("QUERY_STRING"):
        return PLAIN if key is None else Wanted(key=key)
    query = request.query_params
    details, explain, ids = (_is_set(query, name) for name in (DETAILS, EXPLAIN, IDS))
    return Wanted(details, explain, ids, _field(query), key)


def _is_set(query: QueryDict, name: str) -> bool:
    asked = query.getlist(name) or ["false"]
    if asked not in (["true"], ["false"]):
        raise MalformedBody(f"{name} must be true or false, once", field=name)
    return asked == ["true"]


def _field(query: QueryDict) -> str:
    asked = query.getlist(PARAMETER)
    if len(asked) > 1 or asked == [""]:
        raise MalformedBody("reference must name a field or a column, once", field=PARAMETER)
    return asked[0] if asked else ""
