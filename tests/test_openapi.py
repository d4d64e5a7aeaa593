"""GET /swagger.json and /api/docs: the live documents of the active models."""

import gzip
import json
import re

import pytest

from tests import bundles

pytestmark = pytest.mark.django_db


def test_it_names_the_real_labels(arkham, client):
    document = client.get("/swagger.json").json()
    assert document["openapi"].startswith("3.1")
    item = document["components"]["schemas"]["arkham.item"]
    assert item["properties"]["city"]["enum"] == bundles.CITIES
    assert item["properties"]["hour"] | {"title": ""} == {
        "title": "", "type": "integer", "minimum": 0, "maximum": 23,
    }  # fmt: skip
    assert item["required"] == ["city", "villain", "hour"]
    assert list(document["components"]["schemas"]["arkham.scores"]["properties"]) == bundles.FLAGS


def test_it_has_a_path_for_each_model(arkham, models_dir, client):
    bundles.install(models_dir, "blackgate")
    paths = client.get("/swagger.json").json()["paths"]
    assert {"/api/predict", "/api/models/arkham/predict", "/api/models/blackgate/predict"} <= set(
        paths
    )
    assert not [path for path in paths if "{name}" in path]


def test_it_is_there_without_a_model(models_dir, client):
    assert client.get("/swagger.json").status_code == 200


def test_the_docs_ask_nobody_else(arkham, client):
    page = client.get("/api/docs").content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page)


def test_the_docs_lead_back_and_on(arkham, client):
    page = client.get("/api/docs").content.decode()
    assert '<html lang="en"' in page
    assert '<a href="/">Back to the console</a>' in page
    (without_scripts,) = re.findall("<noscript>(.*?)</noscript>", page)
    assert 'href="/swagger.json"' in without_scripts
    assert "csrf" not in page.lower()
    assert "/api/docs" not in client.get("/swagger.json").json()["paths"]


def test_the_docs_lead_to_no_console_that_is_off(arkham, client, settings):
    settings.PAGES = "off"
    page = client.get("/api/docs").content.decode()
    assert "console" not in page
    assert 'data-document="/swagger.json"' in page


@pytest.mark.slow
def test_the_document_has_a_second_address(arkham, client):
    assert client.get("/openapi.json").json() == client.get("/swagger.json").json()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/swagger.json", "/openapi.json"])
def test_a_tool_that_has_the_document_is_not_sent_it_again(arkham, client, path):
    first = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert first["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in first["Vary"]
    plain = client.get(path)
    assert json.loads(gzip.decompress(first.content)) == plain.json()
    assert len(first.content) < len(plain.content) / 3
    assert int(first["Content-Length"]) == len(first.content)
    for answer, encoding in ((first, "gzip"), (plain, "identity")):
        again = client.get(
            path, headers={"If-None-Match": answer["ETag"], "Accept-Encoding": encoding}
        )
        assert (again.status_code, again.content) == (304, b"")
    changed = client.get(path, headers={"If-None-Match": '"of another model"'})
    assert changed.status_code == 200
