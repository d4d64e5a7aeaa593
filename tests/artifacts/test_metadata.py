"""metadata.json is untrusted too: any content is passed on unchanged, or refused in words."""

import json

import pytest

from tests import bundles
from tests.artifacts.crafted import Crafted, entry
from tests.sweeps import swept

pytestmark = pytest.mark.django_db

PAGES = ["/api/info", "/api/predict/params", "/swagger.json", "/api/models", "/", "/arkham/"]


def installed(models_dir, text):
    folder = bundles.install(models_dir)
    path = folder / "metadata.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return folder


def hour(**described):
    return {"features": {"hour": described}}


def city(**described):
    return {"features": {"city": described}}


def nested(depth):
    return json.loads('{"metrics":' * depth + "{}" + "}" * depth)


REFUSED = {
    "half a surrogate pair in the title": {"title": "x\ud800"},
    "half a surrogate pair in a section": {"data": {"source": "\udfff"}},
    "half a surrogate pair as a key": {"\ud800": 1},
    "half a surrogate pair in a hash": {"files": {"model.pkl": {"sha256": "\ud800"}}},
    "half a surrogate pair as a file": {"files": {"\ud800": {}}},
    "a control character in the title": {"title": "x\x1b[2J"},
    "a line in the title": {"title": "x\ny"},
    "a control character in a help": hour(help="\x00"),
    "a control character in a unit": hour(unit="\x07"),
    "a title of a megabyte": {"title": "x" * 2**20},
    "a help of a megabyte": hour(help="x" * 2**20),
    "a file name of a megabyte": {"files": {"x" * 2**20: {}}},
    "another path as a file": {"files": {"../../etc/passwd": {"sha256": ""}}},
    "a number of more than 64 bits": {"metrics": {"n": 10**30}},
    "a bound of more than 64 bits": hour(minimum=-(10**30)),
    "a number beyond any float": '{"metrics": {"n": 1e999}}',
    "a number of a million digits": '{"metrics": {"n": ' + "9" * 10**6 + "}}",
    "sixty levels": nested(60),
    "a thousand levels": '{"a":' * 1000 + "1" + "}" * 1000,
    "a million brackets": "[" * 10**6,
    "no object": "[]",
    "no JSON": "{",
    "a number without a value": hour(labels={"nan": "x"}),
    "a default out of bounds": hour(minimum=0, maximum=23, default=24),
    "a default that is no whole number": hour(integer=True, default=0.5),
    "a default that is no number": hour(default="noon"),
    "a default that is no label": city(default="Smallville"),
    "a default that is a code": city(default=1),
    "no whole number between the bounds": hour(minimum=0.2, maximum=0.7, integer=True),
    "a title that is a number": {"outputs": {"escapes": {"title": 5}}},
}


@pytest.mark.parametrize("text", swept(REFUSED, 2))
def test_it_rejects(models_dir, client, post, text):
    installed(models_dir, text)
    answers = [client.get("/api/info"), post(bundles.ITEM)]
    assert [answer.status_code for answer in answers] == [503, 503]
    said = answers[0].json()["detail"]
    assert "metadata.json" in said
    assert len(said) < 500
    assert said.isprintable()
    assert {client.get(page).status_code for page in PAGES} == {200, 503}


SERVED = {
    "NaN": '{"metrics": {"auc": NaN, "loss": -Infinity}}',
    "two of a key": '{"title": "One", "title": "Two"}',
    "lines in a help": hour(help="One.\nTwo."),
    "an emoji": {"title": "🦇 Arkham"},
    "a bound below any column": hour(minimum=-1e308, integer=True),
    "a bound above any column": hour(maximum=1e308, integer=True),
    "bounds that are far apart": hour(minimum=-1e308, maximum=1e308, integer=True),
    "forty levels": nested(40),
}


@pytest.mark.parametrize("text", swept(SERVED, 1))
def test_it_serves(models_dir, client, post, text):
    installed(models_dir, text)
    assert {client.get(page).status_code for page in PAGES} == {200}
    assert post(bundles.ITEM).status_code == 200


@pytest.mark.parametrize("said", swept(["1.9.9\ud800", "1.9.\x1b[2J\n", "1.9." + "9" * 10**5], 1))
def test_a_version_that_a_pickle_names_is_shown_in_plain_text(models_dir, client, said):
    model = Crafted(bundles.fitted(), entry("_sklearn_version", said))
    bundles.install(models_dir, estimator=model)
    response = client.get("/api/info")
    assert response.status_code == 200
    made_with = response.json()["verified"]["made_with"]["scikit-learn"]
    assert made_with.isprintable()
    assert len(made_with) < 100
