"""Admin's own pages in a browser: whole at 360 px and at 1280, by day and by night."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import violations
from tests.servers import manage

LOG = "/admin/predictor/prediction/"
FILL = """
from django.contrib.auth.models import User
from django.db import connection
from predictor.log.writer.store import Store
from tests.log.entries import entry, many
User.objects.create_superuser("bruce", "", "alfred")
Store(connection).insert([*many(21_000), entry(reference="case 1", caller="Robin", items=1)], None)
"""


@pytest.fixture(scope="module")
def desk(site):
    """The server with a log and an administrator."""
    manage(site.env, "shell", "--no-imports", "-c", FILL)
    return site


@pytest.fixture
def enter(desk, visit):
    """Log in and open a page."""

    def open_page(path, **options):
        page = visit("/admin/login/", **options)
        page.get_by_label("Username").fill("bruce")
        page.get_by_label("Password").fill("alfred")
        page.get_by_role("button", name="Log in").click()
        page.goto(desk.url + path)
        return page

    return open_page


def whole(page):
    """Whether nothing on the page is clipped or wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_every_page_is_whole_and_without_violation(enter, width, scheme):
    page = enter("/admin/", width=width, color_scheme=scheme, reduced_motion="reduce")
    paths = [
        "/admin/",
        "/admin/?model=arkham&span=week",
        LOG,
        f"{LOG}?q=case+1",
        "/admin/predictor/activation/",
    ]
    for path in paths:
        page.goto(page.url.split("/admin/")[0] + path)
        assert whole(page), path
        assert violations(page) == [], path
        if path == "/admin/":
            assert page.locator("body").bounding_box()["height"] < (2_600 if width > 767 else 5_500)
    page.goto(page.url.split("/admin/")[0] + f"{LOG}?q=case+1")
    page.locator(".field-when a").first.click()
    page.get_by_role("textbox", name="Note").fill("wrong because the Joker laughed")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Gets away").click()
    expect(page.get_by_role("button", name="Gets away")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".said")).to_contain_text("the Joker laughed")
    assert whole(page)
    assert violations(page) == []
    page.context.clear_cookies()
    page.goto(page.url)
    assert whole(page)
    assert violations(page) == [], "login"


def test_a_model_is_chosen_from_the_table_or_the_list(enter):
    page = enter("/admin/")
    expect(page.get_by_text("How long requests took")).to_have_count(0)
    line = page.locator(".at-a-glance tr").filter(has_text="arkham 1.0.0")
    answers = line.locator("[data-title=answers] a")
    assert int(answers.inner_text().replace(",", "")) > 0
    line.get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_text("How long requests took")).to_be_visible()
    expect(page.get_by_label("Model", exact=True)).to_have_value("arkham")
    page.get_by_role("link", name="week").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("arkham")
    page.get_by_label("Model", exact=True).select_option("all models")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".at-a-glance tr").nth(3)).to_be_visible()
    assert "span=week" in page.url


def test_looking_back_goes_on_by_itself_and_stops_when_asked(enter):
    page = enter(LOG)
    page.get_by_role("searchbox", name="Search").fill("nowhere")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-looked]")).to_have_text("Searched all of it.")
    expect(page.locator("[data-nothing]")).to_have_text("No such case.")
    assert "version=" not in page.url  # what was not asked is not in the address
    page.route("**before=*", lambda route: None)  # the server takes its time
    page.reload()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("link", name="search further")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
