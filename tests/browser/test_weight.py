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


def test_a_press_is_painted_within_100_ms(visit):
    page = visit("/")
    compute(page)
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
    best = []
    for hour in ("4", "5", "6"):  # the best of three: the machine may be busy with something else
        page.evaluate("window.slowest.length = 0")
        set_case(page, hour)
        page.get_by_role("button", name="Compute").click()
        until(page, f"location.search.endsWith('hour={hour}')")
        page.wait_for_timeout(200)  # event timing entries come after the paint
        best.append(page.evaluate("Math.max(0, ...window.slowest)"))
    assert min(best) < 100, best
