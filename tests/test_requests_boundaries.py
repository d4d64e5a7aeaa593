"""Around the views: body limits, problem documents, proxies, HTTPS, page headers."""

import json

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse
from django.test import RequestFactory

from predictor.http import middleware
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db


def check_problem(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Content-Length"] == str(len(response.content))
    problem = json.loads(response.content)
    assert problem["status"] == status
    return problem


def test_a_large_body_is_not_read(arkham, client, settings):
    body = " " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    check_problem(client.post("/api/predict", body, content_type="application/json"), 413)
    assert client.post("/", body, content_type="text/plain").status_code == 413


@pytest.mark.parametrize("path", ["/api/", "/api/predict/", "/api/predict/none", "/api/docs/"])
def test_unknown_api_paths_are_problems(arkham, client, path):
    assert path in check_problem(client.get(path), 404)["detail"]


def test_unknown_pages_are_pages(arkham, client):
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/predict", "/api/none", "/swagger.json"])
def test_a_foreign_host_is_a_problem(arkham, client, path):
    check_problem(client.get(path, headers={"Host": "evil.example"}), 400)


def test_a_foreign_host_gets_no_page(arkham, client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_the_server_s_own_fault_is_a_problem(arkham, client, monkeypatch, caplog):
    client.raise_request_exception = False
    monkeypatch.setattr("predictor.api.predict_view.predict", lambda *_, **__: 1 / 0)
    response = client.post("/api/predict", ITEM, content_type="application/json")
    assert "division" not in json.dumps(check_problem(response, 500))
    assert "ZeroDivisionError" in caplog.text


def test_probes_answer_any_host(arkham, client):
    assert client.get("/healthz", headers={"Host": "10.0.0.7"}).json() == {"status": "alive"}
    assert client.get("/readyz", headers={"Host": "10.0.0.7"}).status_code == 200


def test_options_names_the_methods(arkham, client):
    response = client.options("/api/predict")
    assert response.status_code == 200
    assert response["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", ["/", "/api/docs", "/admin/login/", "/no/such/page"])
def test_pages_say_what_they_may_do(arkham, client, path):
    response = client.get(path)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/", "/api/docs", "/admin/login/"])
def test_pages_need_nothing_inline(arkham, client, path):
    page = client.get(path).content.decode()
    assert "<style" not in page
    assert 'style="' not in page
    assert "<script>" not in page
    assert " onclick" not in page


def seen(name, **meta):
    """The request as the view sees it behind the middleware ``name``."""
    requests = []

    def view(request):
        requests.append(request)
        return HttpResponse("ok")

    response = getattr(middleware, name)(view)(RequestFactory().get("/", **meta))
    return response, requests[0] if requests else None


FORWARDED = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "evil.example"}


def test_forwarding_headers_of_strangers_are_dropped(settings):
    settings.TRUSTED_PROXIES = []
    _, request = seen("trusted_proxies", HTTP_X_FORWARDED_FOR="6.6.6.6", **FORWARDED)
    assert request.META["REMOTE_ADDR"] == "127.0.0.1"
    assert not [name for name in request.META if "FORWARDED" in name]
    assert not request.is_secure()


CHAINS = [
    ("203.0.113.9", "203.0.113.9"),
    ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
    ("6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
    ("203.0.113.9:51234", "203.0.113.9"),
    ("[2001:db8::9]:51234", "2001:db8::9"),
    ("2001:db8::9", "2001:db8::9"),
    ("unknown", "127.0.0.1"),
    ("", "127.0.0.1"),
    ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
]


@pytest.mark.parametrize(("chain", "address"), CHAINS)
def test_a_trusted_proxy_names_the_caller(settings, chain, address):
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/8"]
    _, request = seen("trusted_proxies", HTTP_X_FORWARDED_FOR=chain, **FORWARDED)
    assert request.META["REMOTE_ADDR"] == address
    assert request.is_secure()


def test_a_proxy_is_known_over_a_socket_for_both_families(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    chain = {"HTTP_X_FORWARDED_FOR": "::ffff:203.0.113.9"}
    _, request = seen("trusted_proxies", REMOTE_ADDR="::ffff:10.0.0.2", **chain)
    assert request.META["REMOTE_ADDR"] == "203.0.113.9"


def test_browsers_are_sent_to_https(settings):
    settings.HTTPS = True
    settings.ALLOWED_HOSTS = ["bat.example"]
    response, _ = seen("https_pages", HTTP_HOST="bat.example", QUERY_STRING="a=1")
    assert response["Location"] == "https://bat.example/?a=1"


def test_the_machine_s_own_browser_stays(settings):
    settings.HTTPS = True
    _, request = seen("https_pages", HTTP_HOST="localhost:8000")
    assert request is not None


def test_nobody_is_sent_to_https_without_it(settings):
    settings.HTTPS = False
    with pytest.raises(MiddlewareNotUsed):
        middleware.https_pages(lambda request: HttpResponse())
