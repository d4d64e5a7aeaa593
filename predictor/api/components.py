"""The named schemas of one model in the OpenAPI document.

Each response has a named schema, here or in service_schemas.py, to which ``ref`` refers, so that
generated clients have a type of that name.
"""

from predictor.api.examples import cases
from predictor.api.record_schemas import TEXT_SCHEMA, JsonSchema, closed, ref
from predictor.api.wanted import ID
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import BOOLEAN, CHOICE, DATE, DATE_TIME, NUMBERS, TEXT
from predictor.artifacts.support import DETAILS, SupportTable
from predictor.artifacts.version import ModelVersion
from predictor.predictions.attribution import EXPLAIN
from predictor.predictions.predict import MAX_ITEMS


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
        "problem": TEXT_SCHEMA | {"description": "why there is no explanation"},
        "exact": {"type": "boolean"},
        "reference": TEXT_SCHEMA | {"description": "what is taken for an unknown feature"},
        "order_from": TEXT_SCHEMA | {"description": "where the ladder's order is from"},
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


def _param(feature: Feature) -> JsonSchema:
    """The schema of a feature in ``params``: its labels, or the empty value of its kind."""
    if feature.kind is CHOICE:
        return {"type": "array", "items": TEXT_SCHEMA, "title": feature.title}
    if feature.kind is NUMBERS:
        return {"type": "array", "items": {"type": "number"}, "maxItems": 0}
    if feature.kind is BOOLEAN:
        return {"type": "boolean", "enum": [False]}
    if feature.kind in (TEXT, DATE, DATE_TIME):
        return TEXT_SCHEMA | {"enum": [""]}
    return {"type": "integer", "enum": [0]}
