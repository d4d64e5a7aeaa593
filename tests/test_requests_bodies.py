"""Thousands of bodies that hypothesis makes up: each is answered or refused, none breaks anything.

A body is refused by the server's own 400 problem document, or answered; nothing else happens.
"""

import io
import itertools
import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from batcomputer.wsgi import application
from tests.bundles import CITIES, ITEM
from tests.lengths import length

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
BODIES = length(10_000, 100_000)

odd_text = st.text(st.characters(categories=None), max_size=12)
odd_number = st.integers() | st.floats() | st.sampled_from([10**400, -(10**25), 1e308, -0.0])
leaf = st.none() | st.booleans() | odd_number | odd_text | st.sampled_from([*CITIES, "Joker", 3])
value = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_text, inner, max_size=4),
    max_leaves=6,
)
PIECES = ["", "{", "}", "[", "]", '"', ",", ":", "\\", "\\u", "\0", "NaN", "1e999", "\ufeff", "//"]
splices = st.tuples(st.integers(0, 99), st.sampled_from(PIECES) | odd_text)


def frames(made, key, hour):
    """The made-up value in every place of a request, and one that is mostly right."""
    yield ITEM | {"hour": hour}
    yield from (ITEM | {name: made} for name in ITEM)
    yield ITEM | {key: made}
    yield made
    yield [ITEM, made]


def spliced(text, at, piece):
    at %= len(text) + 1
    return text[:at] + piece + text[at + len(piece) :]


def bodies(values, keys, hour, splices):
    """Hypothesis takes longer to make a value than the server to refuse it: use each often."""
    for made, key in itertools.product(values, keys):
        for frame in frames(made, key, hour):
            text = json.dumps(frame, ensure_ascii=False)
            yield json.dumps(frame).encode()
            yield text.encode("utf-8", "surrogatepass")
            for at, piece in splices:
                yield spliced(text, at, piece).encode("utf-8", "surrogatepass")


def ask(body: bytes) -> tuple[int, bytes]:
    """The whole application as the server calls it, without a test client's detours."""
    status = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/predict", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    answer = application(environ, lambda line, headers: status.append(int(line[:3])))
    return status[0], b"".join(answer)


def test_it_refuses_or_answers(arkham, caplog):
    caplog.set_level("ERROR", "django.request")
    seen: Counter[int] = Counter()

    @settings(
        max_examples=BODIES // 100, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        st.lists(value, min_size=3, max_size=3),
        st.lists(odd_text, min_size=1, max_size=1),
        st.integers(-2, 25) | st.floats(-1, 24),
        st.lists(splices, min_size=3, max_size=3),
        st.lists(st.binary(max_size=40), min_size=10, max_size=10),
    )
    def try_hundred(values, keys, hour, splices, noise):
        for body in [*bodies(values, keys, hour, splices), *noise]:
            status, answer = ask(body)
            seen[status] += 1
            assert status in {200, 400}, (status, body)
            assert status == 200 or json.loads(answer)["status"] == 400

    try_hundred()
    assert set(seen) == {200, 400}
    assert seen.total() >= BODIES
    assert seen[200] > BODIES / 100, "answers are tried, too, not refusals alone"
    print(seen)  # for who runs it with -s
