"""What programs ask about models: inputs, sensitivity, version, and the list of all."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictor.api.record_schemas import ref
from predictor.api.tags import ANY, MODELS
from predictor.artifacts.addresses import case_from, parameter
from predictor.predictions.sensitivity import compare
from predictor.serving.current import GLANCE, serving
from predictor.serving.errors import ModelUnavailable


class ParamsView(APIView):
    """A prediction's inputs: every feature with its labels, or 0 for a number."""

    @extend_schema(
        operation_id="params",
        summary="What a prediction needs",
        tags=[ANY],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, name: str = "") -> Response:
        return Response(serving().active(name).contract.params())


class CompareView(APIView):
    """The case of the query with one feature varied: the model's sensitivity, not a cause."""

    @extend_schema(
        operation_id="compare",
        summary="Vary one feature of a case",
        responses=OpenApiResponse(
            OpenApiTypes.OBJECT,
            description="The model's sensitivity to one feature; nothing is put on record",
        ),
    )
    def get(self, request: Request, name: str) -> Response:
        model = serving().active(name)
        query = request.query_params
        item = case_from(model.contract, query)
        known = {parameter(feature.name) for feature in model.contract.features}
        if unknown := query.keys() - {"vary"} - known:
            item |= {field: query[field] for field in unknown}  # the encoder refuses these
        vary = query.get("vary", "")
        compared = compare(model, item, vary)
        return Response(
            {
                "vary": vary,
                "options": list(map(asdict, compared.options)),
                "range": asdict(compared.span) if compared.span else None,
                "gaps": compared.gaps,
            }
        )


class InfoView(APIView):
    """The active version: whether it is alive, and its metadata."""

    @extend_schema(
        operation_id="info",
        summary="The version that answers",
        tags=[ANY],
        responses={200: ref("Info")},
    )
    def get(self, request: Request, name: str = "") -> Response:
        model = serving().active(name)
        return Response(
            {
                "status": "alive",
                "model": model.name,
                "version": model.version,
                "sha256": model.sha256,
                "scores": model.scorer.kind,
                "confinement": model.scorer.confinement,
                "flags": model.contract.flag_names,
                "warnings": list(model.warnings),
                "problem": serving().problem(name) or None,
                "verified": model.report.summary(),
                "metadata": model.metadata,
            }
        )


class ModelsView(APIView):
    """All models of this server, the default one first."""

    @extend_schema(
        operation_id="models",
        summary="All models",
        tags=[MODELS],
        responses={200: ref("Models")},
    )
    def get(self, request: Request) -> Response:
        return Response([_summary(name) for name in serving().names()])


def _summary(name: str) -> dict[str, Any]:
    try:
        model = serving().active(name, GLANCE)
    except ModelUnavailable as error:
        return {"name": name, "status": "unavailable", "detail": str(error)}
    return {"name": name, "status": "alive", "version": model.version, "title": model.title}
