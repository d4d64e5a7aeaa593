"""The named schemas of the OpenAPI document: each model's own, and those of all models.

``SCHEMAS`` are the common ones. Each response has a named schema here, to which ``ref`` refers, so
that generated clients have a type of that name.
"""

from predictor.api.examples import cases
from predictor.api.record_schemas import RECORD_SCHEMAS, JsonSchema, closed, ref
from predictor.api.wanted import ID
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import BOOLEAN, CHOICE, DATE, DATE_TIME, NUMBERS, TEXT
from predictor.artifacts.support import DETAILS, SupportTable
from predictor.artifacts.version import ModelVersion
from predictor.predictions.attribution import EXPLAIN
from predictor.predictions.predict import MAX_ITEMS

_TEXT: JsonSchema = {"type": "string"}
_TEXTS: JsonSchema = {"type": "array", "items": _TEXT}


def schemas_of(model: ModelVersion) -> dict[str, JsonSchema]:
    """The model's own components.

    Items of an array have a separate name: if a ``oneOf`` has one name both alone and in an array,
    openapi-generator's TypeScript imports it twice and does not compile.
    """
    contract, own = model.contract, f"{model.name}."
    schemas = {
        "item": item_schema(contract),
        "items": _many(f"{own}itemInArray"),
        "itemInArray": {"allOf": [ref(f"{own}item")]},
        "question": {"oneOf": [ref(f"{own}item"), ref(f"{own}items")]},
        "scores": scores_schema(contract),
        "answer": answer_schema(contract),
        "answers": _many(f"{own}answerInArray"),
        "answerInArray": {"allOf": [ref(f"{own}answer")]},
        "reply": {"oneOf": [ref(f"{own}answer"), ref(f"{own}answers")]},
        "params": closed({f.name: _param(f) for f in contract.features}),
    }
    if EXPLAIN not in contract.flag_names:
        schemas |= _explanation_schemas(own)
        schemas["answer"]["properties"][EXPLAIN] = ref(f"{own}explanation")
    if model.support is not None:
        schemas["details"] = details_schema(contract, model.support)
        schemas["answer"]["properties"][DETAILS] = ref(f"{own}details")
    return {f"{own}{part}": schema for part, schema in schemas.items()}


def _many(name: str) -> JsonSchema:
    return {"type": "array", "items": ref(name), "minItems": 1, "maxItems": MAX_ITEMS}


def item_schema(contract: Contract) -> JsonSchema:
    """JSON Schema of one request item."""
    optional = tuple(feature.name for feature in contract.features if feature.missing)
    properties = {feature.name: feature.schema() for feature in contract.features}
    return {**closed(properties, optional), "example": next(iter(cases(contract).values()))}


def scores_schema(contract: Contract) -> JsonSchema:
    """JSON Schema of one number per flag."""
    return closed({flag.name: {"type": "number", "title": flag.title} for flag in contract.flags})


def details_schema(contract: Contract, support: SupportTable) -> JsonSchema:
    """JSON Schema of an answer's support."""
    span = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    interval = closed(dict.fromkeys(contract.flag_names, span))
    details = {
        "n": {"type": "integer", "minimum": 0, "description": support.n_note},
        "interval": {**interval, "description": support.interval_note},
    }
    return closed(details) | {"description": "Given when the request asks for ?details=true"}


def answer_schema(contract: Contract) -> JsonSchema:
    """JSON Schema of the answer to one item: the scores, and the optional parts."""
    answer = scores_schema(contract) | {"additionalProperties": _REFERENCE}
    if ID not in contract.flag_names:
        said = {"type": "string", "format": "uuid", "description": "Given with ?ids=true"}
        answer["properties"] = {**answer["properties"], ID: said}
    return answer


_REFERENCE: JsonSchema = {
    "type": ["string", "integer", "null"],
    "description": "With ?reference= the row's own reference, under the name that it gives.",
}


def _explanation_schemas(own: str) -> dict[str, JsonSchema]:
    """The schemas of predictions.attribution.Attribution.as_json, and of the reason for none."""
    by_flag = ref(f"{own}scores")
    by_feature = {"type": "object", "additionalProperties": by_flag}
    rung: JsonSchema = {
        "feature": {"type": ["string", "null"], "description": "null: the average answer"},
        "scores": by_flag,
        "tested": {"type": "boolean", "description": "whether a test touched this effect"},
        "within": by_flag,
    }
    explanation: JsonSchema = {
        "problem": _TEXT | {"description": "why there is no explanation"},
        "exact": {"type": "boolean"},
        "reference": _TEXT | {"description": "what is taken for an unknown feature"},
        "order_from": _TEXT | {"description": "where the ladder's order is from"},
        "ladder": {"type": "array", "items": ref(f"{own}rung")},
        "base": by_flag,
        "parts": by_feature | {"description": "Shapley values: with base they are the answer"},
        "within": by_feature | {"description": "half of a 95 % interval of each part"},
        "pairs": {"type": "integer", "description": "pairs of orders that were tried"},
    }
    described = "Given with ?explain=true: each feature's part in the answer"
    return {
        "rung": closed(rung, optional=("within",)),
        "explanation": closed(explanation, optional=tuple(explanation))
        | {"description": described},
    }


_RANGE: JsonSchema = {
    "type": ["object", "null"],
    "description": "Where a number is varied, of which the options are points; null of a list",
    "properties": {
        "low": {"type": "number"},
        "high": {"type": "number"},
        "source": _TEXT | {"enum": ["bounds", "training"]},
    },
    "required": ["low", "high", "source"],
    "additionalProperties": False,
}


def compare_schemas(name: str, varied: list[str]) -> dict[str, JsonSchema]:
    """The components of a comparison's response."""
    option = {
        "value": {"description": "as a prediction takes it"},
        "shown": _TEXT | {"description": "as people read it"},
        "current": {"type": "boolean", "description": "whether the case has this value"},
        "scores": ref(f"{name}.scores"),
    }
    answer = {
        "vary": _TEXT | {"enum": varied},
        "options": {"type": "array", "items": ref(f"{name}.option")},
        "range": _RANGE,
        "gaps": {
            "type": "array",
            "items": {"type": ["number", "null"]},
            "description": "points of the range for which the model has no answer",
        },
    }
    return {f"{name}.option": closed(option), f"{name}.comparison": closed(answer)}


def _param(feature: Feature) -> JsonSchema:
    """The schema of a feature in ``params``: its labels, or the empty value of its kind."""
    if feature.kind is CHOICE:
        return {"type": "array", "items": _TEXT, "title": feature.title}
    if feature.kind is NUMBERS:
        return {"type": "array", "items": {"type": "number"}, "maxItems": 0}
    if feature.kind is BOOLEAN:
        return {"type": "boolean", "enum": [False]}
    if feature.kind in (TEXT, DATE, DATE_TIME):
        return _TEXT | {"enum": [""]}
    return {"type": "integer", "enum": [0]}


_VERIFIED = closed({
    "verdict": _TEXT | {"enum": ["accepted", "refused"]},
    "reason": _TEXT | {"description": "why it was refused; empty when it was accepted"},
    "checked": _TEXT | {"description": "when, in ISO 8601"},
    "estimator": _TEXT,
    "made_with": {"type": "object", "additionalProperties": _TEXT},
    "running": {"type": "object", "additionalProperties": _TEXT},
    "pairing": _TEXTS | {"description": "class → flag, of a classifier"},
    "found_out": {"type": "object", "additionalProperties": True},
    "notes": _TEXTS,
    "signature": _TEXT,
})  # fmt: skip
_INFO = closed({
    "status": _TEXT | {"enum": ["alive"]},
    "model": _TEXT,
    "version": _TEXT,
    "sha256": _TEXT | {"description": "fingerprint of the version's files"},
    "scores": _TEXT | {"enum": ["probability", "hard", "value"]},
    "confinement": _TEXT,
    "flags": _TEXTS | {"minItems": 1},
    "warnings": _TEXTS,
    "problem": {"type": ["string", "null"], "description": "why a newer version does not answer"},
    "verified": ref("Verified"),
    "metadata": {"type": "object", "additionalProperties": True},
})  # fmt: skip
_MODEL = closed({
    "name": _TEXT,
    "status": _TEXT | {"enum": ["alive", "unavailable"]},
    "version": _TEXT | {"description": "of a model that is alive"},
    "title": _TEXT | {"description": "of a model that is alive"},
    "detail": _TEXT | {"description": "why it is unavailable"},
}, optional=("version", "title", "detail"))  # fmt: skip
_FIELD_PROBLEM: JsonSchema = {
    "type": "object",
    "properties": {
        "field": _TEXT,
        "message": _TEXT,
        "suggestion": {"description": "what was probably meant"},
    },
    "required": ["field", "message"],
}
_PROBLEM: JsonSchema = {
    "type": "object",
    "description": "What went wrong (RFC 9457)",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {"type": "array", "items": ref("FieldProblem")},
    },
    "required": ["title", "status", "detail"],
}
SCHEMAS: dict[str, JsonSchema] = {
    "Problem": _PROBLEM,
    "FieldProblem": _FIELD_PROBLEM,
    "Info": _INFO,
    "Verified": _VERIFIED,
    "Model": _MODEL,
    "Models": {"type": "array", "items": ref("Model")},
    **RECORD_SCHEMAS,
}
