"""Sets the console's selectors for cases of the Arkham model."""

import sqlite3
import time
from contextlib import closing

from playwright.sync_api import Page, expect

from tests.servers import Batcomputer

WIDTHS = [360, 768, 1280, 1920]
CASE = {"City": "Gotham", "Villain": "Joker"}
LINK = "/arkham/?city=Gotham&villain=Joker&hour=3"


def set_case(page: Page, hour: str = "3") -> None:
    for label, value in CASE.items():
        page.get_by_label(label, exact=True).select_option(value)
    page.get_by_label("Hour of day").fill(hour)


def compute(page: Page, hour: str = "3") -> None:
    """Set the case, press COMPUTE and wait for the printout."""
    set_case(page, hour)
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()


def case_number(page: Page) -> str:
    return page.locator(".case-number").inner_text()


def column(site: Batcomputer, query: str, *values: str) -> list[str]:
    """The first column of a query's rows in the site's database."""
    with closing(sqlite3.connect(site.env["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        return [row[0] for row in database.execute(query, values)]


def until(page: Page, expression: str, seconds: float = 10) -> None:
    """Wait for a JavaScript expression; the page's policy forbids playwright's own way, eval."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)
