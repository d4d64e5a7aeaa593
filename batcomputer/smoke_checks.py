"""The checks of a deployed Batcomputer. Standard library only."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

TIMEOUT = 20  # seconds for one answer


class Wrong(Exception):
    """A response is wrong."""


@dataclass(frozen=True)
class Response:
    """A response with status 200; any other raises Wrong."""

    kind: str
    headers: Any
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Wrong(f"not JSON: {self.body[:80]!r}") from None


@dataclass(frozen=True)
class Service:
    """The service at ``url``."""

    url: str
    api_key: str = ""
    behind_tls: bool = False

    def ask(self, path: str, body: Any = None) -> Response:
        """GET ``path``, or POST ``body`` to it. Raises Wrong unless the answer is a 200."""
        headers = {"User-Agent": "batcomputer-smoke", "Accept": "*/*"}
        if self.behind_tls:
            headers["X-Forwarded-Proto"] = "https"
        if self.api_key:
            headers["X-API-Key"] = self.api_key
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = Request(self.url + path, data, headers)  # noqa: S310 - main checks the scheme
        try:
            with urlopen(request, timeout=TIMEOUT) as reply:  # noqa: S310
                return Response(reply.headers.get_content_type(), reply.headers, reply.read())
        except HTTPError as error:
            hint = " (give an API key as SMOKE_API_KEY)" if error.code == 401 else ""
            said = error.read(300).decode(errors="replace")
            raise Wrong(f"{error.code}{hint}: {said}") from None
        except (OSError, HTTPException) as error:
            raise Wrong(f"no answer: {error}") from None


def checks(service: Service, expected: dict[str, str]) -> Iterator[tuple[str, Callable[[], str]]]:
    """(name, check) of every check, which returns its finding or raises Wrong."""
    yield "/api/info", lambda: _info(service)
    yield "/api/docs", lambda: _page(service, "/api/docs", b"swagger")
    yield "/swagger.json", lambda: _schema(service)
    yield "/api/predict/params", lambda: _params(service)
    yield "/", lambda: _console(service)
    try:
        models = [str(model["name"]) for model in service.ask("/api/models").json()]
    except (Wrong, LookupError, TypeError) as error:
        yield "/api/models", _failing(error)
        return
    missing = sorted(set(expected) - set(models))
    yield "/api/models", lambda: _listed(models, missing)
    for model in models:
        check = partial(_predict, service, model, expected.get(model, ""))
        yield f"prediction of {model}", check


def _failing(error: Exception) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check


def _listed(models: list[str], missing: list[str]) -> str:
    if missing or not models:
        raise Wrong(f"{', '.join(missing) or 'every model'} is missing; served: {models}")
    return ", ".join(models)


def _info(service: Service) -> str:
    info = service.ask("/api/info").json()
    if not isinstance(info, dict) or info.get("status") != "alive":
        raise Wrong(f"not alive: {info!r:.200}")
    return f"{info.get('model')} {info.get('version')} is alive"


def _page(service: Service, path: str, mark: bytes) -> str:
    answer = service.ask(path)
    if answer.kind != "text/html" or mark not in answer.body:
        raise Wrong(f"{answer.kind} without {mark.decode()!r}")
    return f"a page of {len(answer.body):,} bytes"


def _console(service: Service) -> str:
    try:
        return _page(service, "/", b"<form")
    except Wrong as wrong:
        if "has no pages (PAGES=off)" not in str(wrong):
            raise
    return "there are no pages, as PAGES says"


def _schema(service: Service) -> str:
    document = service.ask("/swagger.json").json()
    if not str(document.get("openapi", "")).startswith("3.") or not document.get("paths"):
        raise Wrong("not an OpenAPI 3 document")
    return f"OpenAPI {document['openapi']}, {len(document['paths'])} paths"


def _params(service: Service) -> str:
    return f"{len(service.ask('/api/predict/params').json())} features"


def _predict(service: Service, model: str, version: str) -> str:
    base = _base(model)
    info = service.ask(f"{base}/info").json()
    answer = service.ask(f"{base}/predict", example(service, model))
    scores = answer.json()
    if not isinstance(scores, dict) or list(scores) != info["flags"]:
        raise Wrong(f"answered {scores!r:.200}, not a number for each of {info['flags']}")
    if not all(isinstance(score, int | float) for score in scores.values()):
        raise Wrong(f"answered {scores!r:.200}: not every score is a number")
    served = answer.headers["X-Model-Version"]
    if version and served != version:
        raise Wrong(f"version {served} answered, not {version}")
    return f"version {served}, on record as {answer.headers['X-Prediction-Id']}"


def _base(model: str) -> str:
    return f"/api/models/{quote(model)}"


def example(service: Service, model: str) -> dict[str, Any]:
    """A valid item for any model: the example in the OpenAPI document."""
    document, route = service.ask("/swagger.json").json(), f"{_base(model)}/predict"
    if route not in document["paths"]:
        raise Wrong(f"/swagger.json does not have {route}; try again if {model} is being loaded")
    item = _item_schema(document, document["paths"][route])["example"]
    if not isinstance(item, dict):
        raise Wrong(f"the document's example for {model} is {item!r:.80}, not an object")
    return item


def _item_schema(document: Any, path: Any) -> Any:
    """The schema of the predict operation's object, with references resolved."""
    schema = path["post"]["requestBody"]["content"]["application/json"]["schema"]
    while "properties" not in schema:
        if "$ref" not in schema:
            schema = schema["oneOf"][0]
            continue
        found = document
        for key in schema["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        schema = found
    return schema
