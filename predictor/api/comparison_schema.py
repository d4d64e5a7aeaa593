"""The comparison of a case in the OpenAPI document: its query parameters and its answer."""

from typing import Any

from predictor.api import examples
from predictor.api.record_schemas import TEXT_SCHEMA, JsonSchema, closed, ref
from predictor.artifacts.addresses import parameter
from predictor.artifacts.contract import Feature
from predictor.artifacts.kinds import NUMBERS
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion
from predictor.predictions.sensitivity import comparable

_RANGE: JsonSchema = {
    "type": ["object", "null"],
    "description": "Where a number is varied, of which the options are points; null of a list",
    "properties": {
        "low": {"type": "number"},
        "high": {"type": "number"},
        "source": TEXT_SCHEMA | {"enum": ["bounds", "training"]},
    },
    "required": ["low", "high", "source"],
    "additionalProperties": False,
}


def comparison_schemas(name: str, varied: list[str]) -> dict[str, JsonSchema]:
    """The components of a comparison's response."""
    option = {
        "value": {"description": "as a prediction takes it"},
        "shown": TEXT_SCHEMA | {"description": "as people read it"},
        "current": {"type": "boolean", "description": "whether the case has this value"},
        "scores": ref(f"{name}.scores"),
    }
    answer = {
        "vary": TEXT_SCHEMA | {"enum": varied},
        "options": {"type": "array", "items": ref(f"{name}.option")},
        "range": _RANGE,
        "gaps": {
            "type": "array",
            "items": {"type": ["number", "null"]},
            "description": "points of the range for which the model has no answer",
        },
    }
    return {f"{name}.option": closed(option), f"{name}.comparison": closed(answer)}


def describe_comparison(paths: Any, schemas: Any, model: ModelVersion) -> None:
    """Describe the case as query parameters; the feature that is varied may be left out."""
    path, contract = f"/api/models/{model.name}/compare", model.contract
    varied = [feature.name for feature in comparable(contract)]
    if not varied:
        del paths[path]
        return
    schemas |= comparison_schemas(model.name, varied)
    case = next(iter(examples.cases(contract).values()))
    vary = {
        "name": "vary",
        "in": "query",
        "required": True,
        "description": "the feature whose every value is scored; of a number, points of its range",
        "schema": {"type": "string", "enum": varied},
        "example": varied[0],
    }
    operation = paths[path]["get"]
    operation["parameters"] = [
        vary,
        *(_query_parameter(f, case.get(f.name), f.name in varied) for f in contract.features),
    ]
    answer_with(operation, f"{model.name}.comparison")


def _query_parameter(feature: Feature, value: Any, varied: bool) -> JsonSchema:
    """A feature of the case; an optional one may be empty, as forms send it."""
    in_text = feature.kind is NUMBERS
    schema: JsonSchema = {"type": "string"} if in_text else feature.schema()
    optional = varied or feature.missing
    described: JsonSchema = {
        "name": parameter(feature.name),
        "in": "query",
        "required": not optional,
        "schema": {"anyOf": [schema, {"const": ""}]} if optional else schema,
    }
    if value is not None:
        described["example"] = text_of(value) if in_text else value
    return described


def answer_with(operation: Any, component: str) -> None:
    """Give the named component as the schema of the operation's answer."""
    operation["responses"]["200"]["content"] = {"application/json": {"schema": ref(component)}}
