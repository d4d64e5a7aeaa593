"""Below a path of its host, behind a real nginx with TLS: every link, file and cookie has it."""

import http.cookiejar
import json
import re
import shutil
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from tests import bundles
from tests.bundles import ITEM
from tests.servers import ROOT, _wait_until_listening, batcomputer, free_port, manage, stop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("nginx"), reason="apt-get install nginx-light"),
]
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location /bat/ {{
      proxy_pass http://127.0.0.1:{behind}{strip};
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


@contextmanager
def nginx(folder, behind, strip):
    """The address below which ``behind`` is reached; ``strip`` is what takes the path's place."""
    port = free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem",
         "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, behind=behind, strip=strip))
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(["nginx", "-c", str(config)], stdout=log, stderr=log)
    try:
        _wait_until_listening(port, process, folder / "nginx.log")
        yield f"https://127.0.0.1:{port}/bat"
    finally:
        stop(process)


class Browser:
    """Follows redirects and keeps cookies."""

    def __init__(self, url, certificate):
        self.url, self.cookies = url, http.cookiejar.CookieJar()
        self.certificate = certificate
        self.host = url.removesuffix("/bat")
        context = ssl.create_default_context(cafile=certificate)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def ask(self, path, body=None, **headers):
        request = urllib.request.Request(self.host + path, body, headers)
        with self._opener.open(request) as answer:
            return answer.geturl(), answer.read().decode(errors="replace")


@pytest.fixture(scope="module", params=["/", ""], ids=["taken off", "left"])
def browser(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("below")
    bundles.install(folder / "models")
    settings = {"BASE_PATH": "/bat", "TRUSTED_PROXIES": "127.0.0.1", "HTTPS": "true"}
    with (
        batcomputer(folder, folder / "models", **settings) as server,
        nginx(folder, server.port, request.param) as url,
    ):
        names = {"DJANGO_SUPERUSER_PASSWORD": "bat", "DJANGO_SUPERUSER_EMAIL": "a@b.example"}
        manage(server.env | names, "createsuperuser", "--no-input", "--username", "alfred")
        yield Browser(url, folder / "cert.pem")


def links(page, kinds="href|src|action"):
    return set(re.findall(rf'(?:{kinds})="(/[^"]*)"', page))


@pytest.mark.parametrize("path", ["/bat/", "/bat/arkham/", "/bat/arkham/map", "/bat/api/docs"])
def test_every_link_of_a_page_leads_somewhere(browser, path):
    _, page = browser.ask(path)
    found = links(page)
    assert found
    assert {link for link in found if not link.startswith("/bat/")} == set()
    for link in sorted(links(page, "href|src"))[:25]:  # a form's address may take no GET
        browser.ask(link.replace("&amp;", "&"))


def test_the_document_leads_to_where_it_is_answered(browser):
    document = json.loads(browser.ask("/bat/swagger.json")[1])
    (server,) = document["servers"]
    assert server["url"] == "/bat"
    assert "/api/predict" in document["paths"]
    body = json.dumps(ITEM).encode()
    _, answer = browser.ask(
        f"{server['url']}/api/predict", body, **{"Content-Type": "application/json"}
    )
    assert json.loads(answer).keys() == {"escapes", "jailed"}


def test_a_person_logs_in_and_stays_below(browser):
    where, page = browser.ask("/bat/admin/")
    assert urllib.parse.urlsplit(where).path == "/bat/admin/login/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    fields = {"username": "alfred", "password": "bat", "csrfmiddlewaretoken": token}
    form = urllib.parse.urlencode(fields | {"next": "/bat/admin/"}).encode()
    where, page = browser.ask("/bat/admin/login/", form, Referer=where)
    assert urllib.parse.urlsplit(where).path == "/bat/admin/"
    assert {link for link in links(page) if not link.startswith("/bat/")} == set()
    assert {cookie.path for cookie in browser.cookies} == {"/bat/"}
    assert {cookie.secure for cookie in browser.cookies} == {True}


def test_probes_answer_with_the_path_and_past_the_proxy(browser):
    assert json.loads(browser.ask("/bat/healthz")[1])["status"] == "alive"
    assert json.loads(browser.ask("/bat/readyz")[1])["status"] == "ready"


def test_the_smoke_test_passes(browser):
    done = subprocess.run(
        [sys.executable, "-m", "batcomputer.smoke", browser.url],
        cwd=ROOT, env={"PATH": "/usr/bin", "SSL_CERT_FILE": str(browser.certificate)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
