"""Every row of the log says who asked, by whichever door the question came in."""

import ast
from pathlib import Path
from urllib.parse import urlencode

import pytest

from predictor.log.privacy import pseudonym
from predictor.models import Prediction
from tests.bundles import ITEM
from tests.routes import address, routes

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent
FORM = "application/x-www-form-urlencoded"
BODIES = {
    "JSON": (ITEM, "application/json"),
    "array": ([ITEM, ITEM], "application/json"),
    "CSV": ("city,villain,hour\r\nGotham,Joker,3\r\n", "text/csv"),
    "form": (urlencode(ITEM), FORM),
}
# (route, body): the source its rows name. A new door is found by the test and belongs here.
DOORS = {
    (route, body): source
    for routes, bodies, source in [
        (("predict", "model-predict"), ("JSON", "array"), "api"),
        (("predict", "model-predict", "bulk"), ("CSV",), "csv"),
        (("console", "model-console"), ("form",), "page"),
    ]
    for route in routes
    for body in bodies
}


def test_it_works_for_every_route_and_body(arkham, client):
    doors = {}
    for pattern in routes():
        path = address(pattern)
        for body, (data, kind) in BODIES.items():
            for query, accept in (("", "*/*"), ("?details=true", "application/json")):
                headers = {"X-Reference": "docket 7", "Accept": accept}
                answer = client.post(path + query, data, kind, headers=headers)
                b"".join(answer)
                for row in Prediction.objects.all():
                    assert row.caller == pseudonym("127.0.0.1"), pattern.name
                    assert row.reference == "docket 7", pattern.name
                    doors[pattern.name, body] = row.source
                Prediction.objects.all().delete()
    assert doors == DOORS


def test_nothing_else_makes_an_asker():
    product = [
        path for package in ("batclient", "predictor") for path in (ROOT / package).rglob("*.py")
    ]
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in product
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Asker"
    }
    assert makers == {"predictor/predictions/asker.py"}
