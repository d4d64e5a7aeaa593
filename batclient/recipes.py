"""The same request from a program: for the command line, Python and JavaScript."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from predictor.artifacts.version import ModelVersion


@dataclass(frozen=True)
class Recipe:
    """One language, and the code of a request in it."""

    title: str
    lines: str


def recipes(request: HttpRequest, model: ModelVersion, case: Mapping[str, Any]) -> list[Recipe]:
    """How a program sends ``case``; its answer is recorded as a new prediction."""
    url = request.build_absolute_uri(reverse("model-predict", args=[model.name]))
    headers = {"Content-Type": "application/json"}
    if settings.API_KEY_REQUIRED:
        headers["X-API-Key"] = "…"
    return [
        Recipe("curl", _curl(url, headers, case)),
        Recipe("Python", _python(url, headers, case)),
        Recipe("JavaScript", _javascript(url, headers, case)),
    ]


def _curl(url: str, headers: Mapping[str, str], case: Mapping[str, Any]) -> str:
    given = [f"  -H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    body = json.dumps(case, ensure_ascii=False)
    return " \\\n".join([f"curl {shlex.quote(url)}", *given, f"  -d {shlex.quote(body)}"])


def _python(url: str, headers: Mapping[str, str], case: Mapping[str, Any]) -> str:
    return "\n".join(
        [
            "import json",
            "import urllib.request",
            "",
            "request = urllib.request.Request(",
            f"    {url!r},",
            f"    json.dumps({dict(case)!r}).encode(),",
            f"    {dict(headers)!r},",
            ")",
            "print(json.load(urllib.request.urlopen(request)))",
        ]
    )


def _javascript(url: str, headers: Mapping[str, str], case: Mapping[str, Any]) -> str:
    body = json.dumps(case, ensure_ascii=False)
    return "\n".join(
        [
            f"const response = await fetch({json.dumps(url)}, {{",
            '  method: "POST",',
            f"  headers: {json.dumps(dict(headers), ensure_ascii=False)},",
            f"  body: JSON.stringify({body}),",
            "});",
            "console.log(await response.json());",
        ]
    )
