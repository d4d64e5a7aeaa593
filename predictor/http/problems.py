"""Problem documents (RFC 9457): the one format of all errors. Knows neither Django nor models."""

import json
from typing import Any

from predictor.artifacts.errors import FieldError

CONTENT_TYPE = "application/problem+json"
CHALLENGE = {"WWW-Authenticate": 'Api-Key realm="Batcomputer"'}  # header of each 401

_TITLES = {
    400: "The request is malformed",
    401: "An API key is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    408: "The request came too slowly",
    413: "The request is too large",
    414: "The address is too long",
    415: "Unsupported media type",
    417: "Expectation failed",
    422: "The model has no answer",
    429: "Too many requests",
    431: "The headers are too large",
    500: "The server failed",
    501: "Not implemented",
    503: "Not available now",
}
_FOR_PROGRAMS = ("/api/", "/swagger.json", "/openapi.json", "/healthz", "/readyz", "/metrics")


def is_for_programs(path: str) -> bool:
    """Whether this path is for programs: all errors there are problem documents."""
    return path.startswith(_FOR_PROGRAMS) or is_v2(path)


def is_v2(path: str) -> bool:
    """Whether this path is of the Open Inference Protocol, which has its own error document."""
    return path == "/v2" or path.startswith("/v2/")


def problem(
    code: int, detail: str, errors: list[FieldError] | None = None, title: str = ""
) -> dict[str, Any]:
    """A problem document."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title or _TITLES.get(code, "The request failed"),
        "status": code,
        "detail": detail,
    }
    if errors:
        body["errors"] = [_described(error) for error in errors]
    return body


def headers_of(code: int) -> dict[str, str]:
    """The headers of every problem with that status."""
    return {"Retry-After": "1"} if code == 503 else {}


def problem_bytes(code: int, detail: str) -> bytes:
    """A problem document as bytes."""
    return json.dumps(problem(code, detail)).encode()


def _described(error: FieldError) -> dict[str, Any]:
    described: dict[str, Any] = {"field": error.field, "message": error.message}
    if error.suggestion is not None:
        described["suggestion"] = error.suggestion
    return described
