"""Every page lives with the strict policy: nothing is blocked, and the docs can ask the API.

``visit`` fails a test on any console error, so also on anything the policy blocks.
"""

import urllib.request

import pytest

from tests.servers import manage

ADMIN_PAGES = [
    "/admin/",
    "/admin/predictor/prediction/",
    "/admin/keys/apikey/",
    "/admin/keys/apikey/add/",
    "/admin/axes/accessattempt/",
    "/admin/auth/user/add/",
    "/admin/password_change/",
]


@pytest.fixture(scope="session")
def administrator(site):
    create = "from django.contrib.auth.models import User;"
    manage(
        site.env, "shell", "--no-imports", "-c",
        f"{create} User.objects.create_superuser('alfred', password='earl grey, hot')",
    )  # fmt: skip


def test_the_docs_ask_the_api(visit, site):
    # the first look at the document has to load, and perhaps examine, every model of the site
    urllib.request.urlopen(f"{site.url}/swagger.json", timeout=180).close()
    page = visit("/api/docs")
    page.locator("#operations-api-predict button").first.click(timeout=60_000)
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table tr.response .response-col_status").first.wait_for()
    shown = page.locator(
        ".live-responses-table tr.response .response-col_status"
    ).first.inner_text()
    assert shown.startswith("200")


def test_admin_lives_with_it(visit, administrator, site):
    page = visit("/admin/login/")
    page.fill("#id_username", "alfred")
    page.fill("#id_password", "earl grey, hot")
    page.get_by_role("button", name="Log in").click()
    for path in ADMIN_PAGES:
        answer = page.goto(site.url + path)
        assert answer.status == 200, path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        page.wait_for_load_state("networkidle")
