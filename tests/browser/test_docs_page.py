"""/api/docs: its requests can be tried, and everyone can read it."""

import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# What Swagger UI itself nests: a link within the button that opens an operation.
ITS_OWN = {"nested-interactive"}


def test_it_works(visit, site):
    # the first look at the document has to load, and perhaps examine, every model of the site
    urllib.request.urlopen(f"{site.url}/swagger.json", timeout=180).close()
    page = visit("/api/docs")
    predict = page.locator("#operations-Default_model-predict")
    predict.locator("button").first.click(timeout=60_000)
    predict.get_by_role("button", name="Try it out").click()
    assert_readable(page)
    execute(predict, 1)
    assert "-d '{" in curl_of(predict)
    predict.locator(".body-param-content-type select").select_option("text/csv")
    expect(predict.locator(".body-param__text")).to_contain_text("city,villain,hour")
    execute(predict, 2)
    assert "accept: text/csv" in curl_of(predict)
    expect(predict.locator(".live-responses-table .microlight").first).to_contain_text("escapes")
    page.get_by_role("button", name="Authorize").click()
    assert_readable(page)
    page.get_by_role("button", name="Close").first.click()
    page.get_by_role("link", name="Back to the console").click()
    expect(page.get_by_role("button", name="Compute")).to_be_visible()


def execute(predict, times):
    page = predict.page
    with page.expect_response(lambda response: "/api/predict?" in response.url) as answer:
        predict.get_by_role("button", name="Execute").click()
    assert answer.value.status == 200, times
    shown = predict.locator(".live-responses-table tr.response .response-col_status").first
    expect(shown).to_contain_text("200")


def curl_of(predict):
    """The request as it is shown for copying."""
    shown = predict.locator(".curl-command").inner_text()
    assert "csrf" not in shown.lower()
    return shown


def assert_readable(page):
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    seen = [
        (v["id"], [node["html"][:120] for node in v["nodes"]])
        for v in found.response["violations"]
        if v["id"] not in ITS_OWN
    ]
    assert seen == []
