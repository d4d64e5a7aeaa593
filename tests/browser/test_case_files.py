"""Case files: printouts this browser keeps."""

from playwright.sync_api import expect

from tests.browser.cases import case_number, compute


def test_it_works(visit):
    page = visit("/")
    compute(page, "3")
    first = case_number(page)
    compute(page, "4")
    expect(page.locator(".case-number")).not_to_have_text(first)
    page.goto(page.url.split("?")[0])  # a visit later, without a case in the link
    expect(page.locator(".file")).to_have_count(2)
    expect(page.locator("[data-printout]")).to_contain_text("No case yet")
    page.locator(".file").nth(1).click()
    expect(page.locator(".case-number")).to_have_text(first)
    expect(page.get_by_label("Hour of day")).to_have_value("3")
    expect(page.locator(".echo")).to_contain_text("Gotham")
    expect(page.locator(".ranking li")).to_have_count(3)
    assert page.url.endswith("hour=3")
    expect(page.locator("[data-printout]")).to_be_focused()


def test_two_are_compared_side_by_side(visit):
    page = visit("/")
    compute(page, "3")
    page.get_by_label("Hour of day").fill("21")
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.locator(".file")).to_have_count(2)
    page.get_by_role("button", name="Compare ticked").click()
    expect(page.locator("[data-files-note]")).to_contain_text("Tick two")
    for tick in page.locator(".file-list input").all():
        tick.check()
    page.get_by_role("button", name="Compare ticked").click()
    dialog = page.get_by_role("dialog", name="Side by side")
    expect(dialog.get_by_role("row", name="Hour of day")).to_contain_text("21")
    expect(dialog.get_by_role("row", name="Hour of day")).to_contain_text("3")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_they_can_be_cleared(visit):
    page = visit("/")
    compute(page)
    page.get_by_role("button", name="Clear files").click()
    expect(page.locator(".file")).to_have_count(0)
    page.goto(page.url.split("?")[0])
    expect(page.locator("[data-files]")).to_contain_text("None yet")
    expect(page.locator(".file")).to_have_count(0)


def test_models_keep_their_own(site, visit):
    page = visit("/")
    compute(page)
    page.goto(f"{site.url}/one/")
    expect(page.locator(".file")).to_have_count(0)


def test_a_browser_that_keeps_nothing_says_so(visit):
    page = visit("/one/")
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("denied", "SecurityError"); },
        });"""
    )
    page.goto(page.url.replace("one/", ""))
    compute(page)
    expect(page.locator("[data-files-note]")).to_contain_text("keeps no files")


def test_a_full_store_keeps_fewer(visit):
    page = visit("/")
    for hour in ("1", "2", "3"):
        compute(page, hour)
        expect(page.locator(".paper-case")).to_contain_text(hour)
    page.evaluate(
        """() => {
            const room = localStorage.getItem("batcomputer.files.arkham").length;
            const set = Storage.prototype.setItem;
            Storage.prototype.setItem = function (key, value) {
                if (value.length > room) throw new DOMException("full", "QuotaExceededError");
                set.call(this, key, value);
            };
        }"""
    )
    compute(page, "14")
    expect(page.locator(".file")).to_have_count(4)
    kept = page.evaluate("JSON.parse(localStorage.getItem('batcomputer.files.arkham')).length")
    assert kept == 2
    expect(page.locator("[data-files-note]")).to_be_empty()


def test_two_tabs_keep_one_set_of_files(visit, site):
    page = visit("/")
    other = page.context.new_page()
    other.goto(site.url)
    compute(page, "3")
    expect(other.locator(".file")).to_have_count(1)
    other.locator(".file-list input").check()
    compute(page, "4")
    expect(other.locator(".file")).to_have_count(2)
    expect(other.locator(".file-list input").nth(1)).to_be_checked()
    compute(other, "5")
    expect(page.locator(".file")).to_have_count(3)


def test_what_somebody_else_stored_there_is_passed_over(visit):
    page = visit("/")
    page.evaluate("localStorage.setItem('batcomputer.files.arkham', '[{\"id\": 1}, null, 7]')")
    page.reload()
    compute(page)
    expect(page.locator(".file")).to_have_count(1)


def test_a_file_of_an_earlier_release_is_asked_again(visit):
    page = visit("/")
    compute(page, "3")
    number = case_number(page)
    page.evaluate(
        """() => {
            const key = "batcomputer.files.arkham";
            const [{ html, ...file }] = JSON.parse(localStorage.getItem(key));
            localStorage.setItem(key, JSON.stringify([file]));
        }"""
    )
    page.goto(page.url.split("?")[0])
    page.locator(".file").click()
    expect(page.get_by_label("Hour of day")).to_have_value("3")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".case-number")).not_to_contain_text("0000-0000")
    expect(page.locator(".paper-case")).to_contain_text("Gotham")
    assert case_number(page) != number
    expect(page.locator(".file")).to_have_count(2)
