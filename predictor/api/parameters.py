"""The query parameters and headers of a request, for the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from predictor.api.wanted import IDS
from predictor.artifacts.support import DETAILS
from predictor.predictions.attribution import EXPLAIN, MOST_ITEMS
from predictor.predictions.once import MAX_KEY
from predictor.predictions.origin import MAX_REFERENCE
from predictor.predictions.references import PARAMETER

_DETAILS = OpenApiParameter(
    DETAILS,
    bool,
    default=False,
    description=(
        "Also say what each answer rests on: the number of similar cases and an interval for each "
        "flag, where the model has a support table. JSON only."
    ),
)
_EXPLAIN = OpenApiParameter(
    EXPLAIN,
    bool,
    default=False,
    description=(
        "Also give each feature's part in the answer: attribution, not a cause. Exact where "
        f"the model has a table of its answers, else estimated. JSON only, {MOST_ITEMS} items."
    ),
)
_REFERENCE_HEADER = OpenApiParameter(
    "X-Reference",
    {"type": "string", "maxLength": MAX_REFERENCE},
    OpenApiParameter.HEADER,
    description="An identifier of the caller's own that is kept with the prediction, in UTF-8.",
)
_IDS = OpenApiParameter(
    IDS,
    bool,
    default=False,
    description="Also give the id of each answer: in each JSON object, in a CSV's column `id`.",
)
_REFERENCE_FIELD = OpenApiParameter(
    PARAMETER,
    {"type": "string", "minLength": 1},
    description=(
        "Names a field beside the features in each JSON item, or a column of the CSV, that holds "
        "the row's own reference. It is kept with the prediction and comes back with the answer."
    ),
)
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    OpenApiParameter.HEADER,
    description=(
        "The same key with the same body gives the same ids and the same answer again, and "
        "nothing more is put on record; with another body it is refused (422)."
    ),
)
PREDICT_PARAMETERS = [
    _DETAILS, _EXPLAIN, _IDS, _REFERENCE_FIELD, _REFERENCE_HEADER, _IDEMPOTENCY_KEY,
]  # fmt: skip
RECORDS_PARAMETERS = [
    OpenApiParameter("reference", str),
    OpenApiParameter("model", str),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="ISO 8601; UTC without a zone"),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, default=100),
    OpenApiParameter("cursor", OpenApiTypes.UUID, description="`next` of the page before"),
]
