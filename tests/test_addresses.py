"""A case in an address: whatever a feature is called, the link leads back to the very case."""

import html
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from sklearn.linear_model import LogisticRegression

from predictor.artifacts.addresses import address_of, case_from
from predictor.models import Prediction
from predictor.serving.current import serving
from tests import bundles

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent
# What the console's own addresses and forms hold, what is next to that, and what addresses escape.
TAKEN = ["vary", "rows", "columns", "flag", "csrfmiddlewaretoken"]
NAMES = [*TAKEN, "_vary", "__vary", "Größe", "a&b=c", "#"]
LABELS = ["Blüdhaven & Söhne", "a=b#c%2", "+ 1", "'<x>\""]
CASE = dict(zip(NAMES, (LABELS * 3)[: len(NAMES)], strict=True))


@pytest.fixture
def odd(models_dir):
    """A model whose features are called like that."""
    lookup = {name: {label: code for code, label in enumerate(LABELS)} for name in NAMES}
    rows = [[code] * len(NAMES) for code in range(len(LABELS))]
    estimator = LogisticRegression().fit(rows, [0, 1, 0, 1])
    bundles.install(models_dir, "odd", estimator=estimator, lookup=lookup, metadata={})
    return serving().active("odd").contract


def test_an_address_is_read_as_the_case_it_was_made_of(odd):
    assert case_from(odd, QueryDict(address_of(CASE))) == CASE


def test_admins_link_leads_to_the_case(odd, client):
    client.post("/api/models/odd/predict", CASE, "application/json")
    client.force_login(User.objects.create_superuser("alfred"))
    row = Prediction.objects.get()
    page = client.get(f"/admin/predictor/prediction/{row.pk}/change/").content.decode()
    link = html.unescape(re.search(r'href="([^"]+)">Open it on the console', page)[1])
    form = client.get(link).context["form"]
    assert (form.item(), form.errors) == (CASE, {})


def test_there_is_one_way_to_write_a_case_as_an_address():
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "predictor").rglob("*.py")
        if re.search(r"(?<!\.)urlencode\(", path.read_text())
    ]
    assert found == ["predictor/artifacts/addresses.py"]
