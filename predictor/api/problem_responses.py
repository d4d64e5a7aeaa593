"""Headers and error responses that any route may have, for the OpenAPI document."""

from typing import Any

from predictor.api.record_schemas import JsonSchema, ref
from predictor.http.problems import CONTENT_TYPE, problem

HEADERS: dict[str, JsonSchema] = {
    "X-Request-Id": {
        "description": (
            "The identifier of this request, as in the server's log lines: the X-Request-Id that "
            "was sent (up to 64 letters, digits and '._:-'), else a new one."
        ),
        "schema": {"type": "string"},
    },
    "X-Prediction-Id": {
        "description": "The id of the answer's record; of many answers, the first one's.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "X-Model-Version": {
        "description": "The version that answered.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds until it is worth asking again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit": {
        "description": "What is left of the caller's rate, where it has one (r requests, t s).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The caller's rate, where it has one: q requests in w seconds.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": 'The next page, where there is one (rel="next").',
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods of this route.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How a key is sent.", "schema": {"type": "string"}},
}
RATE = ("RateLimit", "RateLimit-Policy")
_OWN_HEADERS = {
    401: ["WWW-Authenticate"], 405: ["Allow"], 429: ["Retry-After", *RATE], 503: ["Retry-After"],
}  # fmt: skip
_PROBLEMS = {
    400: ("The request does not fit the model, or is malformed", "details must be true or false"),
    401: (
        "An API key is needed, or the one that was sent is not valid",
        "send an API key as 'Authorization: Api-Key …' or 'X-API-Key: …'",
    ),
    404: ("There is no such model, prediction or route", "there is no model 'arkam'"),
    405: (
        "The route has no such method",
        "PUT is not allowed here; the Allow header says what is",
    ),
    406: ("Only JSON and CSV are answered", "Could not satisfy the request Accept header."),
    408: ("The request came too slowly", "the body did not arrive in time"),
    413: ("The body is too large", "the body has 90000000 bytes; send at most 33,554,432"),
    415: ("Only JSON and CSV are read", 'Unsupported media type "text/plain" in request.'),
    422: ("The model has no answer for these values", "the model has no answer for this case"),
    429: ("Too many requests", "at most 600/minute; try again in 3 s"),
    500: (
        "The model gave no usable score, or the server failed",
        "the model gave no usable score for this request",
    ),
    503: (
        "No model, or no log, is available, or scoring took too long",
        "the database does not answer now; try later",
    ),
}


def headers(*names: str) -> JsonSchema:
    """References to the headers of these names, and to the one in every response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


def problem_response(code: int, example: dict[str, Any] | None = None) -> JsonSchema:
    """The error response with status ``code``, with a problem document as its ``example``."""
    description, detail = _PROBLEMS[code]
    body = example or problem(code, detail)
    return {
        "description": description,
        "headers": headers(*_OWN_HEADERS.get(code, ())),
        "content": {CONTENT_TYPE: {"schema": ref("Problem"), "example": body}},
    }


RESPONSES = {f"Problem{code}": problem_response(code) for code in _PROBLEMS}
