"""Untrusted text in what people, terminals and programs are shown: on one line, and short."""

import logging
import pickle

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import METADATA, read_version
from predictor.artifacts.policy import Policy
from predictor.artifacts.unpickling import inspect_estimator
from predictor.artifacts.untrusted import sentence, shown
from predictor.log import refusals
from predictor.models import Refusal
from predictor.monitoring.log_lines import PlainLines
from tests import bundles
from tests.bundles import ITEM
from tests.routes import paths

pytestmark = pytest.mark.django_db
ODD = "a\x1b[31m\u202eb\x00\n"  # colours a terminal, turns the line around, begins another
LONG = ODD + "c" * 1_000
SHOWN = r"a\u001b[31m\u202eb\u0000\u000ac"


class OddType:
    """The name of a numpy type in its pickle."""

    def __reduce__(self):
        return np.dtype, (LONG, False, True)


def detail(response):
    assert response.status_code in (400, 415)
    return response.json()["detail"]


class Tellers:
    """Each says something of LONG."""

    def __init__(self, client, post, tmp_path, capsys):
        self._client, self._post, self._folder, self._capsys = client, post, tmp_path, capsys

    def unknown_label(self):
        return detail(self._post(ITEM | {"city": LONG}))

    def unknown_field(self):
        return detail(self._post(ITEM | {LONG: 1}))

    def text_for_a_number(self):
        return detail(self._post(ITEM | {"hour": LONG}))

    def key_twice(self):
        key = '"a\\u001b[31m\\u202eb\\u0000\\n' + "c" * 1_000 + '"'
        return detail(self._post(f"{{{key}: 1, {key}: 2}}".encode()))

    def outcome(self):
        identity = self._post(ITEM)["X-Prediction-Id"]
        return detail(self._post({"outcome": LONG}, f"/api/predictions/{identity}/outcome"))

    def column_twice(self):
        name = '"' + LONG.replace("\0", "") + '"'
        body = f"city,villain,hour,{name},{name}\n".encode()
        return detail(self._client.post("/api/predict", body, content_type="text/csv"))

    def type_of_a_body(self):
        kind = "text/" + LONG.encode().decode("latin-1").replace("\n", "").lower()
        return detail(self._client.generic("POST", "/api/predict", b"x", kind))

    def charset_of_a_body(self):
        kind = f"application/json; charset=\x1b{'c' * 1_000}"
        return detail(self._client.generic("POST", "/api/predict", b"x", kind))

    def _imported(self, text):
        path = self._folder / "outcomes.csv"
        path.write_text(text, newline="")
        with pytest.raises(CommandError):
            call_command("import_outcomes", path)
        return self._capsys.readouterr().err.removesuffix("\n")

    def imported_id(self):
        return self._imported(f'id,outcome\n"{LONG}",jailed\n')

    def imported_reference(self):
        return self._imported(f'reference,outcome\n"{LONG}",jailed\n')

    def imported_outcome(self):
        identity = self._post(ITEM)["X-Prediction-Id"]
        return self._imported(f'id,outcome\n{identity},"{LONG}"\n')

    def counted_refusal(self):
        self._post(ITEM | {"city": LONG})
        refusals.flush()
        return Refusal.objects.get(field="city").value

    def odd_pickle(self):
        return inspect_estimator(pickle.dumps(OddType()), Policy()).refusal

    def listed_file(self):
        folder = bundles.install(self._folder / "theirs")
        text = '{"files": {"a\\u001b[31m\\u202eb\\u0000\\n' + "c" * 1_000 + '": {}}}'
        (folder / METADATA).write_text(text)
        with pytest.raises(ArtifactError) as refused:
            read_version(folder)
        return str(refused.value)


TELLERS = [name for name in vars(Tellers) if not name.startswith("_")]


@pytest.mark.parametrize("teller", TELLERS)
def test_it_is_fit_to_show(arkham, client, post, tmp_path, capsys, teller):
    said = getattr(Tellers(client, post, tmp_path, capsys), teller)()
    assert said.isprintable()
    assert 0 < len(said) < 400
    assert "a\\u001b" in said or "ccc" in said


def strings(body):
    """Every text in a problem document, keys too."""
    if isinstance(body, dict):
        return [*body, *(text for inner in body.values() for text in strings(inner))]
    if isinstance(body, list):
        return [text for inner in body for text in strings(inner)]
    return [body] if isinstance(body, str) else []


PLACES = ("vary", "rows", "columns", "flag", "reference", "details", "since", "model", "city", LONG)
ODD_BODIES = [
    ITEM | {"city": LONG}, {LONG: LONG}, [LONG], {"outcome": LONG}, [{LONG: LONG}],
    {"inputs": [{"name": LONG, "datatype": LONG, "shape": [1], "data": [LONG]}]},
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, path in paths() if "/admin/" not in path])
def test_no_route_refuses_in_odd_words(arkham, client, name):
    path = dict(paths())[name]
    answers = [
        client.get(path, dict.fromkeys(PLACES, LONG), headers={"Accept": "application/json"})
    ]
    answers += [client.post(path, body, "application/json") for body in ODD_BODIES]
    answers += [client.post(path, f'"{LONG}",city\n'.encode(), "text/csv")]
    refused = [a for a in answers if a.status_code >= 400 and "json" in a.get("Content-Type", "")]
    for text in (text for answer in refused for text in strings(answer.json())):
        assert text.isprintable()
        assert len(text) < 500


def test_a_line_of_the_log_stays_one_line():
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (ODD,), None)
    assert PlainLines().format(record) == SHOWN.removesuffix("c")


def test_what_can_be_shown_stays_as_it_is():
    assert shown("Blüdhaven 東京") == "Blüdhaven 東京"
    assert shown("Gotham ") == "Gotham "
    assert shown("c" * 80) == "c" * 80
    assert shown("c" * 81) == "c" * 79 + "…"
    assert shown(ODD) == SHOWN.removesuffix("c")
    assert sentence(" two\n lines ") == "two lines"
