"""The OpenAPI document of the active models: real labels, real bounds, real outputs.

drf-spectacular makes an operation of every route, from what the view declares. Then
``describe_models`` replaces each operation with a name in its path by one for each model, and adds
to all of them what every route has: headers, problems, keys.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

from django.conf import settings

from predictor.api import examples
from predictor.api.comparison_schema import answer_with, describe_comparison
from predictor.api.components import schemas_of
from predictor.api.problem_responses import (
    HEADERS,
    RATE,
    RESPONSES,
    headers,
    problem_response,
)
from predictor.api.record_schemas import JsonSchema, outcome_report, ref
from predictor.api.service_schemas import SCHEMAS
from predictor.api.tags import DESCRIPTIONS
from predictor.api.value_names import name_values
from predictor.artifacts.version import ModelVersion
from predictor.serving.current import serving
from predictor.spreadsheets.cells import verbatim_lines

_API_KEY: JsonSchema = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": (
        "A key made in admin, with or without 'Api-Key' before it; 'Authorization: Api-Key …' is "
        "understood, too."
    ),
}
_CSV: JsonSchema = {
    "type": "string",
    "minLength": 1,
    "description": (
        "A header row naming the columns, then the rows; separated by commas, semicolons or "
        "tabs, in UTF-8, or UTF-16 with its byte order mark. The answer is written alike."
    ),
}
_PER_MODEL = "/api/models/{name}/"


def describe_models(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular's hook: replace the general schemas by those of the active models."""
    models = serving().at_hand()
    paths = result["paths"]
    templates = {path: paths.pop(path) for path in list(paths) if path.startswith(_PER_MODEL)}
    components = result.setdefault("components", {})
    schemas = components["schemas"] = {**components.get("schemas", {}), **SCHEMAS}
    contracts = [model.contract for model in models.values()]
    schemas["OutcomeReport"] = outcome_report(contracts)
    paths["/api/predictions"]["get"]["responses"]["200"]["headers"] = headers("Link")
    _describe_outcomes(paths, [*chain.from_iterable(one.flag_names for one in contracts)])
    _put_on_record(paths["/api/predict"]["post"])
    default = next(iter(serving().names()), "")
    if default in models:
        _describe_default(paths, models[default])
    for name, model in models.items():
        schemas |= schemas_of(model)
        for path, template in templates.items():
            paths[path.replace("{name}", name)] = _for_model(template, model)
        describe_comparison(paths, schemas, model)
    components["headers"], components["responses"] = HEADERS, RESPONSES
    _ask_for_keys(result)
    result["tags"] = _tags(paths, models)
    for path in paths.values():
        for operation in path.values():
            _complete(operation)
    name_values(result)
    return result


def _describe_default(paths: Any, model: ModelVersion) -> None:
    """Describe the routes without a name, which the default model answers."""
    _describe_predict(paths["/api/predict"]["post"], model)
    answer_with(paths["/api/predict/params"]["get"], f"{model.name}.params")


def _for_model(template: Any, model: ModelVersion) -> Any:
    """The operations of one route with a name in its path, for ``model``."""
    path = deepcopy(template)
    for operation in path.values():
        kind = operation["operationId"]
        operation["operationId"] = f"{kind}_{model.name}"
        operation["summary"] = f"{operation['summary']}: {model.title}"
        operation["tags"] = [model.name]
        operation["parameters"] = [
            p for p in operation.get("parameters", []) if p["name"] != "name"
        ]
        if kind == "predict":
            _describe_predict(operation, model)
        elif kind == "params":
            answer_with(operation, f"{model.name}.params")
    return path


def _describe_predict(operation: Any, model: ModelVersion) -> None:
    """Describe request and response of a predict operation."""
    contract = model.contract
    asked = examples.questions(contract), examples.questions_csv(contract)
    operation["requestBody"] = {
        "required": True,
        "content": _content(f"{model.name}.question", *asked),
    }
    _put_on_record(operation)
    answer = _content(f"{model.name}.reply", *examples.answers(model))
    operation["responses"]["200"]["content"] = answer
    operation["responses"]["400"] = problem_response(400, examples.refusal(contract))


def _put_on_record(operation: Any) -> None:
    """Describe a response's id and version headers, and the links they give."""
    link = {"identity": "$response.header.X-Prediction-Id"}
    operation["responses"]["200"] |= {
        "description": "One number per flag, for each item",
        "headers": headers("X-Prediction-Id", "X-Model-Version", *RATE),
        "links": {
            "version": {"operationId": operation["operationId"].replace("predict", "info", 1)},
            "outcome": {"operationId": "tell_outcome", "parameters": link},
        },
    }


def _content(component: str, in_json: examples.Examples, in_csv: str) -> JsonSchema:
    """A component in JSON, or a CSV, with examples if there are any."""
    content: JsonSchema = {
        "application/json": {"schema": ref(component)},
        "text/csv": {"schema": _CSV},
    }
    if in_json:
        content["application/json"]["examples"] = in_json
    if in_csv:
        # not one of several: Swagger UI would keep showing the JSON example
        content["text/csv"]["example"] = in_csv
    return content


def _describe_outcomes(paths: Any, flags: Sequence[str]) -> None:
    """Add examples of outcome reports, with the first of the models' flags."""
    one = paths["/api/predictions/{identity}/outcome"]["post"]["requestBody"]["content"]
    bulk = paths["/api/predictions/outcomes"]["post"]
    many = bulk["requestBody"]["content"]
    for content in (many, bulk["responses"]["200"]["content"]):
        content["text/csv"]["schema"] = _CSV
    if flags:
        flag = flags[0]
        one["application/json"]["example"] = {"outcome": flag}
        many["application/json"]["example"] = [{"reference": "order-7", "outcome": flag}]
        rows = [["reference", "outcome"], ["order-7", flag]]
        many["text/csv"]["example"] = verbatim_lines(rows).decode()


def _ask_for_keys(result: Any) -> None:
    """Describe API keys; where none is needed one may be sent, for its own rate."""
    result["components"]["securitySchemes"] = {"ApiKey": _API_KEY}
    result["security"] = [*([] if settings.API_KEY_REQUIRED else [{}]), {"ApiKey": []}]


def _complete(operation: Any) -> None:
    """Add what every operation has."""
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    for response in operation["responses"].values():
        response["headers"] = headers() | response.get("headers", {})
    for name in RESPONSES:
        code = name.removeprefix("Problem")
        operation["responses"].setdefault(code, {"$ref": f"#/components/responses/{name}"})


def _tags(paths: Any, models: Mapping[str, ModelVersion]) -> list[JsonSchema]:
    used = {tag for path in paths.values() for operation in path.values()
            for tag in operation["tags"]}  # fmt: skip
    common = [
        {"name": name, "description": said} for name, said in DESCRIPTIONS.items() if name in used
    ]
    return common + [_tag(model) for model in models.values()]


def _tag(model: ModelVersion) -> JsonSchema:
    said = str(model.metadata.get("description", ""))
    text = f"**{model.title}** {said}".strip()
    return {"name": model.name, "x-displayName": model.title, "description": text}
