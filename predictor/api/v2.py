"""The Open Inference Protocol (version 2, REST), for programs that speak it already.

Each feature is a tensor of the request, each flag one of the answer. Rows of tensors become items
as ``POST /api/…/predict`` has them, and are scored, counted, tried and put on record as those are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictor.api.again import claimed
from predictor.api.predict_view import count_items, json_response, version_for
from predictor.api.wanted import ID
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.kinds import BOOLEAN, NUMBER, NUMBERS, WHOLE
from predictor.artifacts.untrusted import shown
from predictor.artifacts.version import ModelVersion
from predictor.artifacts.wrong_values import described, quoted
from predictor.http.errors import MalformedBody
from predictor.http.parsers import StrictJSONParser
from predictor.predictions.once import predict_once
from predictor.predictions.origin import Source, counter_of, origin_of
from predictor.predictions.predict import IN_ARRAY, Answer
from predictor.serving.current import GLANCE, serving

_INTEGERS = tuple(f"{sign}{bits}" for sign in ("INT", "UINT") for bits in (8, 16, 32, 64))
_NUMBERS = ("FP64", "FP32", "FP16", *_INTEGERS)
# The tensor types for each kind of feature; metadata names the first.
_DATATYPES = {NUMBER: _NUMBERS, WHOLE: _NUMBERS, NUMBERS: _NUMBERS, BOOLEAN: ("BOOL",)}


class _View(APIView):
    schema = None  # the protocol has its own document


class ServerView(_View):
    """The server's metadata. It has none of the protocol's extensions."""

    def get(self, request: Request) -> Response:
        version = settings.SPECTACULAR_SETTINGS["VERSION"]
        return Response({"name": "batcomputer", "version": version, "extensions": []})


class ModelView(_View):
    """A model's input and output tensors."""

    def get(self, request: Request, name: str, version: str = "") -> Response:
        model = _checked(serving().active(name), version)
        outputs = _outputs(model.contract).items()
        return Response(
            {
                "name": model.name,
                "versions": [model.version],
                "platform": "sklearn_pickle",
                "inputs": [
                    {"name": f.name, "datatype": _datatypes(f)[0], "shape": [-1, *_width(f)]}
                    for f in model.contract.features
                ],
                "outputs": [{"name": o, "datatype": kind, "shape": [-1]} for o, kind in outputs],
            }
        )


class ReadyView(_View):
    """Whether a model can answer now."""

    def get(self, request: Request, name: str, version: str = "") -> Response:
        model = _checked(serving().active(name, GLANCE), version)
        return Response({"name": model.name, "ready": True})


class InferView(_View):
    """Score the rows of the tensors; every answer is recorded."""

    parser_classes = (StrictJSONParser,)

    def post(self, request: Request, name: str, version: str = "") -> HttpResponse:
        model = serving().active(name)
        origin = origin_of(request, Source.API)
        if not version:
            model = version_for(request, origin, model)
        body = request.data
        if not isinstance(body, dict) or not isinstance(body.get("id"), str | None):
            raise MalformedBody("the body must be an object with inputs; its id, if any, a text")
        model, claim = claimed(model, request.META.get("HTTP_IDEMPOTENCY_KEY"), origin, body)
        _checked(model, version)
        wanted = _wanted(body, model.contract)
        items = _items(body, model.contract, counter_of(request))
        answers = predict_once(model, items, origin, claim, IN_ARRAY)
        answer = {"model_name": model.name, "model_version": answers[0].version}
        echoed = {} if body.get("id") is None else {"id": body["id"]}
        return json_response(answer | echoed | {"outputs": _tensors(answers, wanted)}, answers[0])


def _checked(model: ModelVersion, version: str) -> ModelVersion:
    """``model``. Raises NotFound where the path names another version than its own."""
    if version not in ("", model.version):
        raise NotFound(f"version {model.version} of {model.name} answers, not {shown(version)}")
    return model


def _outputs(contract: Contract) -> dict[str, str]:
    """A response's tensors and their types: the scores, and the ids of the records."""
    outputs = dict.fromkeys(contract.flag_names, "FP64")
    outputs.setdefault(ID, "BYTES")  # a flag of that name takes precedence
    return outputs


def _wanted(body: Mapping[str, Any], contract: Contract) -> dict[str, str]:
    """The tensors that the request names under ``outputs``; all if it names none."""
    known = _outputs(contract)
    named = body.get("outputs") or [{"name": name} for name in known]
    try:
        names = [each.get("name") for each in named]
        unknown = [name for name in names if name not in known]
    except (AttributeError, TypeError) as error:
        raise MalformedBody("outputs must be an array of objects with a name", "outputs") from error
    if unknown:
        there_are = f"there are {', '.join(known)}"
        raise MalformedBody(f"outputs names {described(unknown[0])}; {there_are}", "outputs")
    return {name: known[name] for name in names}


def _tensors(answers: Sequence[Answer], wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """One tensor for each that is wanted, a row for each answer."""
    return [
        {
            "name": name,
            "datatype": datatype,
            "shape": [len(answers)],
            "data": [str(a.id) if datatype == "BYTES" else a.scores[name] for a in answers],
        }
        for name, datatype in wanted.items()
    ]


def _items(
    body: Mapping[str, Any], contract: Contract, count_rows: Callable[[int], None]
) -> list[dict[str, Any]]:
    """The rows of the tensors as items, once they are counted; the encoder checks each value."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise MalformedBody("inputs must be an array of tensors, one for each feature", "inputs")
    features = {feature.name: feature for feature in contract.features}
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str) or name in columns:
            raise MalformedBody("each input must be an object with a name of its own", "inputs")
        columns[name] = _column(tensor, features.get(name))
    rows = sorted(set(map(len, columns.values())))
    if len(rows) > 1:
        raise MalformedBody(f"inputs have {rows[0]:,} rows and {rows[-1]:,}; send as many of each")
    count_items(rows[0], count_rows, "inputs must hold", "inputs")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(tensor: Mapping[str, Any], feature: Feature | None) -> list[Any]:
    """A tensor's values, one for each row; the encoder refuses a tensor of no feature."""
    where = f"input {quoted(tensor['name'])}"
    datatype, width = tensor.get("datatype"), _width(feature) if feature else []
    if feature and datatype not in (allowed := _datatypes(feature)):
        raise MalformedBody(f"{where} must be {' or '.join(allowed)}, not {described(datatype)}")
    values = _values(where, tensor, width)
    if datatype == "BOOL":  # some clients write 1.0 for true
        values = [bool(v) if type(v) is not bool and v in (0, 1) else v for v in values]
    if not width:
        return values
    return [values[at : at + width[0]] for at in range(0, len(values), width[0])]


def _values(where: str, tensor: Mapping[str, Any], width: list[int]) -> list[Any]:
    """All values of a tensor, one after the other, as many as its shape says."""
    shape, data = tensor.get("shape"), tensor.get("data")
    if not isinstance(data, list):
        raise MalformedBody(f"{where} must have its data as an array; binary data is not read")
    size = width[0] if width else 1
    data = _flat(data, size)
    rows, rest = divmod(len(data), size)
    if rest or shape not in ([rows, *width], [rows, size]):
        expected = f"[n, {size}]" if width else "[n] or [n, 1]"
        raise MalformedBody(f"{where} must have the shape {expected}, and as many values in data")
    return data


def _flat(data: list[Any], size: int) -> list[Any]:
    """The values of ``data``, which may be in rows, as the shape says, or without them."""
    in_rows = all(isinstance(row, list) and len(row) == size for row in data)
    return [value for row in data for value in row] if in_rows else data


def _datatypes(feature: Feature) -> tuple[str, ...]:
    return _DATATYPES.get(feature.kind, ("BYTES",))


def _width(feature: Feature) -> list[int]:
    """The rest of its tensor's shape after the rows: the size of a list of numbers, else empty."""
    return [feature.size] if feature.kind is NUMBERS else []
