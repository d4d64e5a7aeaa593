"""COMPUTE and every state it can lead to."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.cases import LINK, WIDTHS, case_number, column, compute, set_case, until


def press(page):
    page.get_by_role("button", name="Compute").click()


def hold(waiting, route):
    waiting.append(route)


def until_held(page, waiting, count):
    while len(waiting) < count:
        page.wait_for_timeout(20)
    assert len(waiting) == count


@pytest.mark.parametrize("width", WIDTHS)
def test_a_wrong_case_is_marked_beside_its_field(visit, watch, width):
    watch.allowed.append("400")
    page = visit("/", width=width)
    set_case(page, hour="99")
    press(page)
    expect(page.locator("#case-2-error")).to_contain_text("from 0 to 23")
    expect(page.get_by_label("Hour of day")).to_be_focused()
    expect(page.get_by_label("Hour of day")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-screen]")).to_contain_text("Case refused")
    page.get_by_label("Hour of day").fill("4")
    press(page)
    expect(page.locator("#case-2-error")).to_be_empty()
    expect(page.locator(".verdict-odds")).to_be_visible()


def test_a_blank_field_is_named(visit, watch):
    watch.allowed.append("400")
    page = visit("/")
    for control in page.locator("[data-control] [name]").all():
        control.evaluate("control => { control.value = ''; }")
    press(page)
    for field in range(3):
        expect(page.locator(f"#case-{field}-error")).to_contain_text("required")


def test_while_it_computes_the_machine_works(visit):
    page = visit("/")
    set_case(page)
    waiting = []
    page.route("**/arkham/", lambda route: hold(waiting, route))
    press(page)
    expect(page.locator("html")).to_have_attribute("data-state", "computing")
    expect(page.locator("[data-screen]")).to_have_attribute("aria-busy", "true")
    until(page, "document.getAnimations().length > 9")  # once the press itself is painted
    waiting[0].continue_()
    expect(page.locator(".verdict-odds")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-state", "answered")


def test_a_second_press_asks_nothing_new(visit):
    page = visit("/")
    set_case(page)
    waiting = []
    page.route("**/arkham/", lambda route: hold(waiting, route))
    press(page)
    press(page)
    page.get_by_label("Hour of day").fill("4")
    press(page)  # another case is another question
    until_held(page, waiting, 2)
    waiting[1].continue_()
    expect(page.locator(".paper-case")).to_contain_text("4")
    page.unroute("**/arkham/")
    press(page)  # and so is the same case once it was answered
    expect(page.locator("html")).to_have_attribute("data-state", "answered")


def test_a_server_that_does_not_answer_is_given_up(visit):
    page = visit("/")
    page.clock.install()
    set_case(page)
    page.route("**/arkham/", lambda route: None)
    press(page)
    expect(page.locator("[data-screen]")).to_contain_text("Computing")
    page.clock.fast_forward(2_000)
    expect(page.locator("[data-announcement]")).to_have_text("Computing")
    page.clock.fast_forward(30_000)
    expect(page.locator("[data-screen]")).to_contain_text("did not answer within 30 seconds")
    expect(page.locator("[data-screen]")).not_to_have_attribute("aria-busy", "true")


def test_the_answer_does_not_wait_for_the_show_and_the_show_can_be_skipped(visit):
    page = visit("/")
    compute(page)
    expect(page.locator("html")).to_have_attribute("data-show", "printing")
    expect(page.locator(".verdict-odds")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.locator("html").get_attribute("data-show") is None


def test_an_unreachable_server_is_said_and_the_case_kept(visit, watch):
    watch.allowed.append("ERR_FAILED")
    page = visit("/")
    set_case(page)
    page.route("**/arkham/", lambda route: route.abort())
    press(page)
    expect(page.locator("[data-screen]")).to_contain_text("No signal")
    expect(page.get_by_label("City")).to_have_value("Gotham")
    page.unroute("**/arkham/")
    press(page)
    expect(page.locator(".verdict-odds")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, {"status": 503, "detail": "the prediction log cannot be written"}, "log cannot be"),
        (502, "<html>Bad gateway</html>", "answered 502"),
    ],
)
def test_a_server_in_trouble_is_said(visit, watch, status, body, said):
    watch.allowed.append(str(status))
    page = visit("/")
    set_case(page)
    text = body if isinstance(body, str) else json.dumps(body)
    page.route("**/arkham/", lambda route: route.fulfill(status=status, body=text))
    press(page)
    expect(page.locator("[data-screen]")).to_contain_text(said)
    expect(page.locator("[data-screen]").get_by_role("link", name="Reload")).to_be_visible()


def test_a_new_version_is_said(visit):
    page = visit("/")
    set_case(page)

    def newer(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("1.0.0", "1.1.0"))

    page.route("**/arkham/", newer)
    press(page)
    expect(page.locator("[data-new-version]")).to_contain_text("1.1.0")
    expect(page.locator("[data-printout]")).to_contain_text("arkham 1.1.0")


def test_a_case_refused_by_a_new_version_says_so(visit, watch):
    watch.allowed.append("400")
    page = visit("/")
    page.get_by_label("Hour of day").fill("99")
    press(page)
    expect(page.locator("[data-screen]")).to_contain_text("Case refused")
    expect(page.locator("[data-new-version]")).to_have_count(0)

    def newer(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | {"x-model-version": "2.0.0"})

    page.route("**/arkham/", newer)
    press(page)
    expect(page.locator("[data-new-version]")).to_contain_text("2.0.0")
    expect(page.locator("[data-new-version]").get_by_role("link")).to_be_visible()


def test_a_new_version_may_have_other_flags(visit):
    page = visit("/")

    def newer(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("escapes", "vanishes"))

    page.route("**/arkham/", newer)
    page.route("**/arkham/what-if?**", newer)
    compute(page)
    expect(page.locator(".ranking li")).to_have_count(3)
    expect(page.locator(".ranking b").first).to_contain_text("%")


def test_a_link_reproduces_the_prediction(visit, browser):
    page = visit("/")
    compute(page)
    odds = page.locator(".verdict-odds").inner_text()
    number = case_number(page)
    link = page.locator("[data-link]").get_attribute("href")
    assert link.endswith(f"/arkham/case/{number}")
    assert page.url.endswith("?" + LINK.split("?")[1])
    page.goto(link)
    expect(page.locator(".verdict-odds")).to_have_text(odds)
    assert case_number(page) == number


def test_the_link_can_be_copied(site, visit):
    page = visit("/", permissions=["clipboard-read", "clipboard-write"])
    compute(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-note]")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/case/{case_number(page)}")


def test_print_gives_a_clean_sheet(visit):
    page = visit("/")
    compute(page)
    page.emulate_media(media="print")
    expect(page.locator("[data-printout]")).to_be_visible()
    for rest in (".hood", ".selectors", ".scope", ".what-if", ".cabinet", ".foot", ".outcome"):
        expect(page.locator(rest).first).to_be_hidden()
    sheet = page.locator("[data-printout]").bounding_box()
    assert sheet["width"] > 0.5 * 1280  # the whole sheet, not the console's column
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_when_the_answer_comes(visit, width):
    page = visit("/", width=width)
    page.evaluate(  # what moved while the page came, its fonts late, counts too
        """() => {
            window.shifts = 0;
            new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) window.shifts += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
        }"""
    )
    set_case(page)
    page.route("**/arkham/", lambda route: (page.wait_for_timeout(700), route.continue_()))
    press(page)
    expect(page.locator(".verdict-odds")).to_be_visible()
    until(page, "document.querySelectorAll('.ranking li').length > 0")
    assert page.evaluate("window.shifts") < 0.1  # what web vitals call good


def test_the_true_outcome_is_one_press(site, visit):
    page = visit("/")
    with page.expect_response(lambda answer: answer.request.method == "POST") as computed:
        compute(page)
    case = computed.value.json()["id"].replace("-", "")
    page.locator("[data-outcome]").get_by_role("button", name="Gets away").click()
    expect(page.locator("[data-note]")).to_contain_text("On record: Gets away")
    key = page.locator("[data-outcome]").get_by_role("button", name="Gets away")
    expect(key).to_have_attribute("aria-pressed", "true")
    recorded = column(site, "SELECT flag FROM predictor_outcome WHERE prediction_id = ?", case)
    assert recorded == ["escapes"]


def test_a_printout_that_came_with_the_page_has_its_keys_too(site, visit):
    page = visit("/")
    set_case(page)
    page.evaluate("document.querySelector('[data-form]').submit()")  # sooner than the scripts came
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    case = case_number(page).replace("-", "")
    page.get_by_role("button", name="Gets away").click()
    expect(page.locator("[data-note]")).to_contain_text("On record: Gets away")
    assert column(site, "SELECT flag FROM predictor_outcome WHERE prediction_id = ?", case)


def test_an_outcome_that_is_not_taken_is_said(visit, watch):
    watch.allowed.append("404")
    page = visit("/")
    compute(page)
    problem = {"status": 404, "detail": "there is no such prediction"}
    page.route("**/outcome/**", lambda route: route.fulfill(status=404, json=problem))
    page.locator("[data-outcome]").get_by_role("button", name="Gets away").click()
    expect(page.locator("[data-note]")).to_contain_text("there is no such prediction")


def test_sound_is_off_until_asked_for(visit):
    page = visit("/one/")
    page.add_init_script(
        """window.clicks = 0;
        const start = AudioBufferSourceNode.prototype.start;
        AudioBufferSourceNode.prototype.start = function (...when) {
            window.clicks += 1;
            start.apply(this, when);
        };"""
    )
    page.goto(page.url.replace("one/", ""))
    sound = page.get_by_role("button", name="Sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    compute(page, "3")
    assert page.evaluate("window.clicks") == 0
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    compute(page, "4")
    until(page, "window.clicks > 20")  # the relays and the printer
    page.reload()
    expect(page.get_by_role("button", name="Sound")).to_have_attribute("aria-pressed", "true")


def test_with_reduced_motion_nothing_moves(visit):
    page = visit("/", reduced_motion="reduce")
    set_case(page)
    waiting = []
    page.route("**/arkham/", lambda route: hold(waiting, route))
    press(page)
    expect(page.locator("html")).to_have_attribute("data-state", "computing")
    assert page.evaluate("document.getAnimations().length") == 0
    waiting[0].continue_()
    expect(page.locator(".verdict-odds")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_needles_swing_to_each_answer(visit):
    page = visit("/")
    compute(page)
    swinging = "document.getAnimations().filter((a) => a.animationName === 'swing').length"
    until(page, f"{swinging} === 2")
    until(page, f"{swinging} === 0")


def test_the_lamps_can_be_stopped(visit):
    page = visit("/")
    until(page, "document.getAnimations().length > 0")
    page.get_by_role("button", name="Lamps").click()
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("path", ["/one/", "/many/"])
def test_one_selector_or_25_are_computed(visit, path):
    page = visit(path)
    for select in page.locator("[data-control] select").all():
        select.evaluate("s => { s.selectedIndex = 1; s.dispatchEvent(new Event('change')); }")
    for number in page.locator("[data-control] input[inputmode]").all():
        number.fill("2")
    press(page)
    expect(page.locator(".verdict-odds")).to_be_visible()
    expect(page.locator(".paper-case > div")).to_have_count(1 if path == "/one/" else 25)


def test_the_dials_point_where_the_scripts_would_point_them(visit):
    tips = []
    for scripts in (True, False):
        page = visit("/", java_script_enabled=scripts, reduced_motion="reduce")
        compute(page)
        tips.append([needle.bounding_box() for needle in page.locator(".needle").all()])
    for with_scripts, without in zip(*tips, strict=True):
        assert with_scripts["x"] == pytest.approx(without["x"], abs=1)
        assert with_scripts["width"] == pytest.approx(without["width"], abs=1)


def test_a_number_is_printed_as_a_number(visit):
    page = visit("/numbers/")
    page.get_by_label("Height").fill("180")
    page.get_by_label("Age").fill("40")
    press(page)
    expect(page.locator("[data-printout]")).to_contain_text("risk: 12.5")
    expect(page.locator("[data-dial]")).to_have_count(0)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    expect(page.locator("[data-outcome]")).to_have_count(0)  # which of one number came true?
