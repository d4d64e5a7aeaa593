"""The OpenAPI document of the active models: real labels, real bounds, real outputs."""

from copy import deepcopy
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from predictor.api.wanted import IDS
from predictor.artifacts.addresses import parameter
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import NUMBERS
from predictor.artifacts.support import DETAILS, SupportTable
from predictor.artifacts.texts import text_of
from predictor.log.reports import MAX_NOTE, Result
from predictor.predictions.asker import MAX_REFERENCE
from predictor.predictions.attribution import EXPLAIN, MOST_ITEMS
from predictor.predictions.once import MAX_KEY
from predictor.predictions.predict import MAX_ITEMS
from predictor.predictions.references import PARAMETER
from predictor.predictions.sensitivity import comparable
from predictor.serving.current import serving

JsonSchema = dict[str, Any]

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
        "Also say what each feature has to do with the answer: attribution, no cause. Exact where "
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


_TEXT: JsonSchema = {"type": "string"}
_WHEN: JsonSchema = {"type": "string", "format": "date-time"}
REPORTS: JsonSchema = {
    "application/json": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "description": "What came true of the prediction with this id, or this reference",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "reference": {"type": "string", "maxLength": MAX_REFERENCE},
                "outcome": {"type": "string", "description": "a flag, or its title"},
                "time": _WHEN | {"description": "when it happened"},
                "note": {"type": "string", "maxLength": MAX_NOTE},
            },
            "required": ["outcome"],
            "additionalProperties": False,
        },
    },
    "text/csv": {"type": "string", "description": "The same as columns"},
}
_TAKEN: JsonSchema = {
    "type": "object",
    "properties": {
        "result": {"type": "string", "enum": [result.value for result in Result]},
        "id": {"type": "string", "format": "uuid"},
        "detail": {"type": "string", "description": "why it was not accepted"},
    },
    "required": ["result"],
    "additionalProperties": False,
}
REPORTS_TAKEN: JsonSchema = {"type": "array", "items": _TAKEN}
_MAYBE: JsonSchema = {"type": ["string", "null"]}
_PERHAPS_WHEN: JsonSchema = _MAYBE | {"format": "date-time"}
_RECORD: JsonSchema = {
    "type": "object",
    "description": "A prediction as it is on record",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "time": _WHEN,
        "model": _TEXT,
        "version": _TEXT,
        "source": _TEXT,
        "reference": _TEXT,
        "inputs": {"type": "object", "description": "as asked, but for what the log leaves out"},
        "scores": {"type": "object", "additionalProperties": {"type": "number"}},
        "top_flag": _TEXT,
        "outcome": _MAYBE | {"description": "the flag that came true, if it was reported"},
        "outcome_reported": _PERHAPS_WHEN,
        "outcome_time": _PERHAPS_WHEN | {"description": "when it happened, as reported"},
        "outcome_note": _TEXT,
    },
    "required": ["id", "time", "model", "version", "inputs", "scores", "top_flag", "outcome"],
}
_EARLIER: JsonSchema = {
    "type": "object",
    "description": "What was reported before the outcome that counts",
    "properties": {"outcome": _TEXT, "reported": _WHEN, "time": _PERHAPS_WHEN, "note": _TEXT},
    "required": ["outcome", "reported", "time", "note"],
}
RECORD = _RECORD | {
    "properties": {
        **_RECORD["properties"],
        "earlier_outcomes": {"type": "array", "items": _EARLIER},
    }
}
RECORDS: JsonSchema = {
    "type": "object",
    "properties": {
        "predictions": {"type": "array", "items": _RECORD},
        "next": {"type": ["string", "null"], "description": "the cursor of the next page"},
    },
    "required": ["predictions", "next"],
}
RECORDS_PARAMETERS = [
    OpenApiParameter("reference", str),
    OpenApiParameter("model", str),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="ISO 8601; UTC without a zone"),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000}, default=100),
    OpenApiParameter("cursor", OpenApiTypes.UUID, description="`next` of the page before"),
]


def item_schema(contract: Contract) -> JsonSchema:
    """JSON Schema of one request item."""
    return {
        "type": "object",
        "properties": {feature.name: feature.schema() for feature in contract.features},
        "required": [feature.name for feature in contract.features if not feature.missing],
        "additionalProperties": False,
        "example": next(iter(contract.examples.values())),
    }


def scores_schema(contract: Contract, support: SupportTable | None = None) -> JsonSchema:
    """JSON Schema of the answer to one item."""
    properties: JsonSchema = {
        flag.name: {"type": "number", "title": flag.title} for flag in contract.flags
    }
    if support is not None:
        properties[DETAILS] = _details_schema(contract, support)
    return {
        "type": "object",
        "properties": properties,
        "required": contract.flag_names,
        "additionalProperties": _BESIDE,
    }


_BESIDE: JsonSchema = {
    "type": ["string", "integer", "null"],
    "description": (
        "With ?ids=true the answer's id, as `id`; with ?reference= the row's own reference, under "
        "the name that it gives."
    ),
}


def explained_schema(contract: Contract, scores: JsonSchema) -> JsonSchema:
    """JSON Schema of the answer to one item of a request that asks for ``?explain=true``."""
    properties = scores["properties"] | {EXPLAIN: _explanation_schema(contract)}
    return scores | {"properties": properties, "required": [*scores["required"], EXPLAIN]}


def _explanation_schema(contract: Contract) -> JsonSchema:
    """JSON Schema of predictions.attribution.Attribution.as_json, or of why there is none."""
    by_flag = {
        "type": "object",
        "properties": {name: {"type": "number"} for name in contract.flag_names},
        "required": contract.flag_names,
    }
    by_feature = {"type": "object", "additionalProperties": by_flag}
    rung = {
        "type": "object",
        "properties": {
            "feature": {"type": ["string", "null"], "description": "null: the average answer"},
            "scores": by_flag,
            "tested": {"type": "boolean", "description": "whether a test touched this effect"},
            "within": by_flag,
        },
        "required": ["feature", "scores", "tested"],
    }
    return {
        "type": "object",
        "description": "What each feature has to do with the answer",
        "properties": {
            "problem": {"type": "string", "description": "why there is no explanation"},
            "exact": {"type": "boolean"},
            "reference": {"type": "string", "description": "what stands for an unknown feature"},
            "order_from": {"type": "string", "description": "where the ladder's order is from"},
            "ladder": {"type": "array", "items": rung},
            "base": by_flag,
            "parts": by_feature | {"description": "Shapley values: with base they are the answer"},
            "within": by_feature | {"description": "half of a 95 % interval of each part"},
            "pairs": {"type": "integer", "description": "pairs of orders that were tried"},
        },
    }


def _details_schema(contract: Contract, support: SupportTable) -> JsonSchema:
    span = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    return {
        "type": "object",
        "description": "Given when the request asks for ?details=true",
        "properties": {
            "n": {"type": "integer", "minimum": 0, "description": support.n_note},
            "interval": {
                "type": "object",
                "description": support.interval_note,
                "properties": dict.fromkeys(contract.flag_names, span),
                "required": contract.flag_names,
                "additionalProperties": False,
            },
        },
        "required": ["n", "interval"],
        "additionalProperties": False,
    }


def _as_parameter(feature: Feature) -> JsonSchema:
    """The schema of a value in a query, where a list of numbers is JSON."""
    return {"type": "string"} if feature.kind is NUMBERS else feature.schema()


_PROBLEM: JsonSchema = {
    "type": "object",
    "description": "What went wrong (RFC 9457)",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "suggestion": {"description": "what was probably meant"},
                },
                "required": ["field", "message"],
            },
        },
    },
    "required": ["title", "status", "detail"],
}

_PROBLEMS = {
    "400": "The request does not fit the model, or is malformed",
    "401": "An API key is needed, or the one that was sent is not valid",
    "404": "There is no such model",
    "406": "Only JSON and CSV are answered",
    "408": "The request came too slowly",
    "413": "The body is too large",
    "415": "Only JSON and CSV are read",
    "422": "The model has no answer for these values",
    "429": "Too many requests; Retry-After says when to ask again",
    "500": "The model gave no usable score",
    "503": "No model, or no log, is available, or scoring took too long",
}
_API_KEY: JsonSchema = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": "A key made in admin; 'Authorization: Api-Key …' is understood, too.",
}
_ANSWER_HEADERS = {
    "X-Prediction-Id": {"schema": {"type": "string", "format": "uuid"}},
    "X-Model-Version": {"schema": {"type": "string"}},
}
_CSV: JsonSchema = {
    "schema": {
        "type": "string",
        "description": (
            "A header row naming the columns, then the rows; separated by commas, semicolons or "
            "tabs, in UTF-8, or UTF-16 with its byte order mark. The answer is written alike."
        ),
    }
}
_PER_MODEL = "/api/models/{name}/"


def describe_models(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular's hook: put the active models' own schemas in place of the general ones."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    if settings.API_KEY_REQUIRED:
        result["components"]["securitySchemes"] = {"ApiKey": _API_KEY}
        result["security"] = [{"ApiKey": []}]
    paths = result["paths"]
    templates = {path: paths.pop(path) for path in list(paths) if path.startswith(_PER_MODEL)}
    default = serving().names()[:1]
    for name, model in serving().at_hand().items():
        scores = scores_schema(model.contract, model.support)
        schemas[f"{name}.item"], schemas[f"{name}.scores"] = item_schema(model.contract), scores
        schemas[f"{name}.explained"] = explained_schema(model.contract, scores)
        for path, template in templates.items():
            paths[path.replace("{name}", name)] = _for_model(template, name)
        _describe_compare(paths[f"/api/models/{name}/compare"]["get"], model.contract, name)
        if [name] == default:
            _describe(paths["/api/predict"], name)
    for path in paths.values():
        for operation in path.values():
            _complete(operation)
    return result


def _for_model(template: Any, name: str) -> Any:
    path = deepcopy(template)
    for operation in path.values():
        operation["operationId"] = f"{operation['operationId']}_{name}"
        operation["parameters"] = [
            p for p in operation.get("parameters", []) if p["name"] != "name"
        ]
    _describe(path, name)
    return path


def _describe(path: Any, name: str) -> None:
    """Request and answer of a predict operation; other operations stay as they are."""
    operation = path.get("post")
    if operation is None:
        return
    info = operation["operationId"].replace("predict", "info", 1)
    item, scores, explained = (
        {"$ref": f"#/components/schemas/{name}.{part}"} for part in ("item", "scores", "explained")
    )
    # the one that asks for more comes first: clients take the first that fits
    answers = {"oneOf": _one_or_many(explained)["oneOf"] + _one_or_many(scores)["oneOf"]}
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": _one_or_many(item)}, "text/csv": _CSV},
    }
    operation["responses"]["200"] = {
        "description": "One number per flag, for each item",
        "headers": _ANSWER_HEADERS,
        "content": {"application/json": {"schema": answers}, "text/csv": _CSV},
        "links": {"the version that answered": {"operationId": info}},
    }


def _describe_compare(operation: Any, contract: Contract, name: str) -> None:
    """The case as query parameters; the varied feature's own may be left out."""
    varied = [feature.name for feature in comparable(contract)]
    operation["parameters"] = [
        {
            "name": "vary",
            "in": "query",
            "required": True,
            "description": "the feature whose every value is scored",
            "schema": {"type": "string", **({"enum": varied} if varied else {})},
        },
        *(
            {
                "name": parameter(f.name),
                "in": "query",
                "schema": {"anyOf": [_as_parameter(f), {"const": ""}]},  # as a form leaves it out
                "example": text_of(f.example()) if f.kind is NUMBERS else f.example(),
            }
            for f in contract.features
        ),
    ]
    option = {
        "type": "object",
        "properties": {
            "value": {"description": "as a prediction takes it"},
            "shown": {"type": "string", "description": "as people read it"},
            "current": {"type": "boolean", "description": "whether the case has this value"},
            "scores": {"$ref": f"#/components/schemas/{name}.scores"},
        },
        "required": ["value", "shown", "current", "scores"],
    }
    answer = {
        "type": "object",
        "properties": {
            "vary": {"type": "string"},
            "options": {"type": "array", "items": option},
        },
        "required": ["vary", "options"],
    }
    operation["responses"]["200"] = {
        "description": "The model's sensitivity to one feature; nothing is put on record",
        "content": {"application/json": {"schema": answer}},
    }


def _one_or_many(schema: JsonSchema) -> JsonSchema:
    many = {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_ITEMS}
    return {"oneOf": [schema, many]}


def _complete(operation: Any) -> None:
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for code, description in _PROBLEMS.items():
        operation["responses"][code] = {"description": description, "content": content}
