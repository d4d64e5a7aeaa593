"""The application with one more route, on which a worker requests all its other routes.

``/ask-every-route`` returns the names of the modules that the worker has imported afterwards, and
each route's response.
"""

import json
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

from batcomputer.wsgi import application as whole
from tests.tensors import tensors

ADDRESS = "/ask-every-route"
MEASURED = ("pressure", "humidity", "wind", "cloud", "dew", "rain", "sun", "temperature")
MODELS = {
    "arkham": {"city": "Gotham", "villain": "Joker", "hour": 3},
    "weather": dict.fromkeys(MEASURED, 0.5),
}


def application(environ, start_response):
    if environ["PATH_INFO"] != ADDRESS:
        return whole(environ, start_response)
    answers = dict(_answers())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"answers": answers, "modules": sorted(sys.modules)}).encode()]


def _answers() -> Iterator[tuple[str, int]]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(HTTP_HOST="localhost", HTTP_X_FORWARDED_PROTO="https")
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(User.objects.get(is_superuser=True), backend)
    identity = ""
    for name, item in MODELS.items():
        row = ",".join(map(str, item.values()))
        file = "\n".join([",".join(item), row, row])
        for content, kind in ((json.dumps(item), "application/json"),
                              (json.dumps([item] * 300), "application/json"),
                              (file, "text/csv")):  # fmt: skip
            for query in ("", "?details=true", "?explain=true", "?ids=true"):
                address = f"/api/models/{name}/predict{query}"
                answer = client.post(address, content, kind, secure=True)
                b"".join(answer)
                identity = answer.headers.get("X-Prediction-Id", identity)
                yield f"POST {address}", answer.status_code
        address, body = f"/v2/models/{name}/infer", {"inputs": tensors(item)}
        answer = client.post(address, body, "application/json", secure=True)
        yield f"POST {address}", answer.status_code
        yield f"POST /{name}/", client.post(f"/{name}/", item, secure=True).status_code
    for address in _addresses(identity):
        answer = client.get(address, secure=True)
        b"".join(answer)
        yield address, answer.status_code


def _addresses(identity: str) -> Iterator[str]:
    """A URL for each route and model."""
    from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse

    def names(patterns, space=""):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from names(pattern.url_patterns, inner)
            elif pattern.name:
                yield space + pattern.name, pattern.pattern.converters

    values = {"object_id": identity, "identity": identity, "version": "2.0.0", "kind": "csv",
              "id": 1, "number": 1, "content_type_id": 1, "app_label": "predictor"}  # fmt: skip
    for model, item in MODELS.items():
        for name, wanted in names(get_resolver().url_patterns):
            chosen = {key: values.get(key, model) for key in wanted}
            try:
                yield reverse(name, kwargs=chosen)
            except NoReverseMatch:
                continue
        yield f"/api/models/{model}/compare?vary={next(iter(item))}&{urlencode(item)}"
    yield from (f"/admin/predictor/prediction/export/{kind}/" for kind in ("csv", "xlsx", "jsonl"))
