"""The first view is light, nothing blocks it, and a press is answered at once."""

from tests.browser.cases import compute, set_case, until

MOST = 150_000  # bytes over the wire, fonts included


def test_the_first_view_is_light(site, browser):
    context = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(site.url, wait_until="networkidle")
    page.evaluate("document.fonts.ready.then(() => 1)")
    context.close()
    assert len(sizes) > 5
    assert sum(sizes) < MOST, f"{sum(sizes):,.0f} bytes"


def test_no_script_blocks_rendering(visit):
    page = visit("/")
    blocking = "e => e.filter(s => s.src && !s.defer && !s.async).map(s => s.src)"
    assert page.eval_on_selector_all("script", blocking) == []
    inline = "e => e.filter(s => !s.src && s.type !== 'application/json').length"
    assert page.eval_on_selector_all("script", inline) == 0


def watch_interactions(page):
    page.evaluate(
        """() => {
            window.slowest = [];
            new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) {
                if (entry.interactionId) window.slowest.push(entry.duration);
              }
            }).observe({ type: "event", durationThreshold: 16 });
        }"""
    )


def best_of_three(page, interact):
    """The longest wait for a paint, of the best round: the machine may be busy with others."""
    rounds = []
    for n in range(3):
        page.evaluate("window.slowest.length = 0")
        interact(n)
        page.wait_for_timeout(200)  # event timing entries come after the paint
        rounds.append(page.evaluate("Math.max(0, ...window.slowest)"))
    return min(rounds)


def test_a_press_is_painted_within_100_ms(visit):
    page = visit("/")
    compute(page)
    watch_interactions(page)

    def press(n):
        until(page, "!document.documentElement.dataset.show")
        set_case(page, str(4 + n))
        page.get_by_role("button", name="Compute").click()
        until(page, f"location.search.endsWith('hour={4 + n}')")

    assert best_of_three(page, press) < 100


def test_a_letter_in_a_long_list_is_painted_within_100_ms(visit):
    page = visit("/labels/")
    box = page.get_by_role("combobox", name="District")
    watch_interactions(page)

    def type_and_walk(n):
        box.click()
        box.press("dis"[n])
        box.press("ArrowDown")
        box.press("Escape")

    assert best_of_three(page, type_and_walk) < 100


def test_a_step_on_the_map_is_painted_within_100_ms(visit):
    page = visit("/labels/map")
    page.locator(".heat tbody td").first.focus()
    watch_interactions(page)
    assert best_of_three(page, lambda n: page.keyboard.press("ArrowDown")) < 100
