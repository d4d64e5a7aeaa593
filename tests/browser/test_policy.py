"""Every page lives with the strict policy: nothing is blocked.

``visit`` fails a test on any console error, so also on anything the policy blocks.
"""

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
