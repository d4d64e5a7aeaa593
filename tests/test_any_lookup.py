"""All content of a lookup is in params, in the OpenAPI enum and in the form, and is accepted."""

import html
import json
import math

import numpy as np
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier

from predictor.serving.current import serving
from tests import bundles

pytestmark = pytest.mark.django_db

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"',
            "'",
            "&amp;",
            "=1+1",
            "a,b;c",
            "שלום",
            "🦇",
            "{{ x }}",
            "\\",
        ]
    ),
).filter(lambda text: text.strip())
codes = st.one_of(
    st.integers(-(2**31), 2**31),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-128, 127).map(np.int8),
    st.floats(-1e6, 1e6, width=32).map(np.float32),
    st.integers(0, 2**40).map(np.int64),
)
labels = st.dictionaries(texts, codes, min_size=1, max_size=5)
lookups = st.dictionaries(
    texts.filter(lambda name: name not in bundles.FLAGS), labels | codes, min_size=1, max_size=4
)


def serve(root, lookup):
    """Install a model over ``lookup`` that learns nothing, and serve it."""
    rows = np.zeros((2, len(lookup)))
    bundles.install(root, estimator=DummyClassifier().fit(rows, [0, 1]), lookup=lookup, metadata={})
    serving.cache_clear()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lookup=lookups)
@pytest.mark.slow
def test_every_label_is_everywhere_and_works(models_dir, tmp_path_factory, lookup):
    from django.conf import settings as django_settings

    django_settings.MODELS_DIR = tmp_path_factory.mktemp("models")
    serve(django_settings.MODELS_DIR, lookup)
    client = Client()
    expected = {n: 0 if not isinstance(v, dict) else list(v) for n, v in lookup.items()}

    assert client.get("/api/predict/params").json() == expected
    schema = client.get("/swagger.json").json()["components"]["schemas"]["arkham.item"]
    assert {n: s.get("enum", 0) for n, s in schema["properties"].items()} == expected
    page = client.get("/").content.decode()
    for name, choices in expected.items():
        assert f'name="{html.escape(name)}"' in page
        for label in choices or []:
            assert f'value="{html.escape(label)}"' in page
    for position in range(max(len(choices or [0]) for choices in expected.values())):
        item = {n: c[position % len(c)] if c else position for n, c in expected.items()}
        answer = client.post("/api/predict", json.dumps(item), content_type="application/json")
        assert answer.status_code == 200, (item, answer.content)
        assert all(map(math.isfinite, answer.json().values()))
