"""The what-if scope: with scripts a press away, without them a link away."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.cases import LINK, compute


def test_it_ranks_every_other_label(visit):
    page = visit("/")
    compute(page)
    rows = page.locator(".ranking li")
    expect(rows).to_have_count(3)
    shares = [float(text.split()[0]) for text in page.locator(".ranking b").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    expect(page.locator(".ranking [aria-current]")).to_contain_text("Gotham")


def test_a_press_goes_there(visit):
    page = visit("/")
    compute(page)
    page.locator(".tabs").get_by_text("Villain").click()
    expect(page.locator(".ranking li")).to_have_count(4)
    page.locator(".ranking").get_by_text("Riddler").click()
    expect(page.locator("[data-printout]")).to_contain_text("Riddler")
    expect(page.get_by_label("Villain")).to_have_value("Riddler")
    expect(page.locator(".ranking [aria-current]")).to_contain_text("Riddler")


def test_numbers_keep_their_order(visit):
    page = visit("/")
    compute(page)
    page.locator(".tabs").get_by_text("Hour of day").click()
    expect(page.locator(".ranking li")).to_have_count(24)
    assert page.locator(".rank-title").all_inner_texts() == [str(hour) for hour in range(24)]


def test_the_case_itself_is_in_view_in_a_long_list(visit):
    page = visit("/labels/")
    page.get_by_role("link", name="Surprise me").click()
    own = page.locator(".ranking [aria-current]")
    expect(own).to_be_visible()
    axis = page.locator(".what-if .axis").bounding_box()
    plot, row = page.locator("[data-plot]").bounding_box(), own.bounding_box()
    assert axis["y"] + axis["height"] <= row["y"] + 1
    assert row["y"] + row["height"] <= plot["y"] + plot["height"]


def test_the_score_of_another_flag_can_be_shown(visit):
    page = visit("/")
    compute(page)
    first = page.locator(".ranking b").first
    expect(page.locator("[data-plot-note]")).to_contain_text("Back to Arkham")
    before = first.inner_text()
    page.get_by_label("Score of").select_option("escapes")
    expect(first).not_to_have_text(before)


def test_a_link_with_a_selector_varies_that_one(visit):
    page = visit(f"{LINK}&vary=villain#what-if")
    expect(page.locator(".ranking li")).to_have_count(4)
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".tabs [aria-pressed=true]")).to_have_text("Villain")
    expect(page.locator(".ranking li")).to_have_count(4)


def test_it_says_when_it_cannot_compare(visit, watch):
    watch.allowed.append("503")
    page = visit("/")
    problem = {"status": 503, "detail": "no model can answer"}
    page.route("**/what-if?**", lambda route: route.fulfill(status=503, json=problem))
    compute(page)
    expect(page.locator("[data-plot-note]")).to_have_text("no model can answer")


def test_without_scripts_it_is_links(visit):
    page = visit(LINK, java_script_enabled=False)
    page.get_by_role("button", name="Compute").click()
    page.locator(".tabs").get_by_text("City").click()
    expect(page.locator(".ranking li")).to_have_count(3)
    page.locator(".ranking").get_by_text("Metropolis").click()
    expect(page.get_by_label("City")).to_have_value("Metropolis")
    expect(page.locator(".ranking [aria-current]")).to_contain_text("Metropolis")


def test_a_number_is_a_curve_with_a_slider(visit):
    page = visit("/numbers/", width=360, reduced_motion="reduce")
    page.get_by_label("Height").fill("180")
    page.get_by_label("Age").fill("30")
    page.get_by_role("button", name="Compute", exact=True).click()
    slider = page.get_by_role("slider", name="Height")
    expect(slider).to_have_attribute("aria-valuetext", "180 cm: 12.5")
    assert slider.bounding_box()["height"] >= 44
    mark = page.locator("[data-slide-mark]")
    before = mark.get_attribute("transform")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "190 cm: 12.5")
    expect(page.locator("[data-slide-text]")).to_have_text("190 cm: 12.5")
    assert mark.get_attribute("transform") != before
    assert asked == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".graph-table summary").click()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": rules}})
    assert found.response["violations"] == []
    page.get_by_role("link", name="Compute this case").click()
    expect(page.locator("[data-printout]")).to_contain_text("190 cm")
    expect(page.get_by_label("Height").first).to_have_value("190")
