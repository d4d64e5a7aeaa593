"""Back and forward go from case to case, and a link is never a trap."""

from playwright.sync_api import expect

from tests.browser.cases import LINK, case_number, column, compute


def test_it_works(visit):
    page = visit("/arkham/")
    compute(page, "3")
    first = case_number(page)
    compute(page, "4")
    expect(page.locator(".case-number")).not_to_have_text(first)
    second = case_number(page)
    page.go_back()
    expect(page.locator(".case-number")).to_have_text(first)
    expect(page.get_by_label("Hour of day")).to_have_value("3")
    expect(page.locator(".echo")).to_contain_text("3")
    page.go_forward()
    expect(page.locator(".case-number")).to_have_text(second)
    expect(page.get_by_label("Hour of day")).to_have_value("4")
    page.go_back()
    page.go_back()
    expect(page.locator("[data-screen]")).to_contain_text("Ready")
    expect(page.locator(".paper-blank")).to_be_attached()
    expect(page.locator("[data-dial-text]").first).to_have_text("—")


def test_a_reload_forgets_no_case_before_it(visit):
    page = visit("/arkham/")
    compute(page, "3")
    first = case_number(page)
    compute(page, "4")
    expect(page.locator(".paper-case")).to_contain_text("4")
    second = case_number(page)
    page.reload()
    expect(page.locator(".case-number")).to_have_text(second)  # and it was not asked again
    page.go_back()
    expect(page.locator(".case-number")).to_have_text(first)


def test_a_step_in_the_what_if_scope_can_be_taken_back(visit):
    page = visit("/")
    compute(page)
    page.locator(".ranking").get_by_text("Metropolis").click()
    expect(page.locator("[data-printout]")).to_contain_text("Metropolis")
    page.go_back()
    expect(page.locator("[data-printout]")).to_contain_text("Gotham")
    expect(page.locator(".ranking [aria-current]")).to_contain_text("Gotham")


def test_a_link_however_written_sets_the_selectors_and_is_left_with_one_step(visit, site):
    page = visit("/one/")
    before = page.url
    asked = len(column(site, "SELECT id FROM predictor_prediction"))
    page.goto(page.url.replace("/one/", LINK.replace("Gotham", "%47otham") + "&from=mail"))
    expect(page.get_by_label("City", exact=True)).to_have_value("Gotham")
    page.wait_for_load_state("networkidle")
    assert len(column(site, "SELECT id FROM predictor_prediction")) == asked
    page.go_back()
    expect(page).to_have_url(before)


def test_the_skip_link_changes_no_case(visit):
    page = visit("/")
    compute(page)
    number = case_number(page)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".case-number")).to_have_text(number)
    page.go_back()
    expect(page.locator(".case-number")).to_have_text(number)


def test_a_link_with_an_unknown_label_is_explained(visit, watch, site):
    watch.allowed.append("400")
    asked = len(column(site, "SELECT id FROM predictor_prediction"))
    page = visit(LINK.replace("Gotham", "Gothem"))
    expect(page.locator("#case-0-error")).to_contain_text("did you mean")
    expect(page.locator("[data-screen]")).to_contain_text("Case refused")
    expect(page.get_by_label("Villain")).to_have_value("Joker")
    page.wait_for_load_state("networkidle")
    assert len(column(site, "SELECT id FROM predictor_prediction")) == asked
    page.get_by_label("City").select_option("Gotham")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".verdict-odds")).to_be_visible()
