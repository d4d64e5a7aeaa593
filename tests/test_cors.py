"""Scripts of other origins: none may call, unless CORS_ALLOWED_ORIGINS names theirs."""

import json
import urllib.error
import urllib.request

import pytest

from tests import bundles
from tests.servers import batcomputer


@pytest.mark.django_db
def test_it_is_off(arkham, post):
    response = post(bundles.ITEM, Origin="https://wayne.example")
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.slow
def test_it_lets_in_who_is_named(tmp_path):
    """In a separate server, since the middleware depends on the setting."""
    bundles.install(tmp_path / "models")
    settings = {"CORS_ALLOWED_ORIGINS": "https://wayne.example", "API_KEY_REQUIRED": "true"}
    with batcomputer(tmp_path, tmp_path / "models", **settings) as server:
        for origin, allowed in [("https://wayne.example", True), ("https://evil.example", False)]:
            request = urllib.request.Request(
                f"{server.url}/api/predict",
                headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
                method="OPTIONS",
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200
                assert (answer.headers["Access-Control-Allow-Origin"] == origin) is allowed
                shown = answer.headers["Access-Control-Allow-Headers"] or ""
                assert ("x-api-key" in shown) is allowed
        request.full_url = f"{server.url}/v2/models/arkham/infer"
        request.add_header("Origin", "https://wayne.example")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "https://wayne.example"
        ask = urllib.request.Request(
            f"{server.url}/api/predict",
            json.dumps(bundles.ITEM).encode(),
            {"Origin": "https://wayne.example", "Content-Type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:  # its script may read why
            urllib.request.urlopen(ask, timeout=10)
        assert refused.value.code == 401
        assert refused.value.headers["Access-Control-Allow-Origin"] == "https://wayne.example"
        refused.value.close()
