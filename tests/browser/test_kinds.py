"""Selectors of every kind on one form: filled in, refused, left empty, and linked to."""

from playwright.sync_api import expect

REQUIRED = ["open", "count", "member", "day", "at", "pixels"]
LINK = (
    "/kinds/?open=s&count=3&member=true&note=the+joker&day=2026-02-03&at=2026-02-03T04%3A05"
    "&pixels=%5B0.25%2C+-1%2C+2%5D"
)


def printed(page):
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    titles = page.locator(".paper-case dt").all_inner_texts()
    return dict(zip(titles, page.locator(".paper-case dd").all_inner_texts(), strict=True))


def test_it_works(visit):
    page = visit("/kinds/")
    box = page.get_by_role("combobox", name="Place")
    box.fill("dock 7")
    box.press("Enter")
    page.get_by_label("Open", exact=True).fill("xl")
    page.get_by_label("Count").fill("3")
    page.get_by_label("Member").select_option("yes")
    page.get_by_label("Note").fill("the joker\nlaughs")
    page.get_by_label("Day").fill("2026-02-03")
    page.get_by_label("At", exact=True).fill("2026-02-03T04:05")
    page.get_by_label("Pixels").fill("[0.25, -1, 2]")
    page.get_by_role("button", name="Compute").click()
    case = printed(page)
    assert (case["Place"], case["Open"], case["Level"]) == ("Dock 7", "xl", "unknown")
    assert (case["Member"], case["Day"]) == ("yes", "2026-02-03")
    page.locator(".tabs").get_by_text("Member").click()
    page.locator(".ranking").get_by_text("no", exact=True).click()
    expect(page.get_by_label("Member")).to_have_value("false")
    expect(page.locator(".paper-case > div").nth(4)).to_contain_text("no")


def test_what_is_missing_is_marked_and_what_may_be_missing_is_not(visit, watch):
    watch.allowed.append("400")
    page = visit("/kinds/")
    for control in page.locator("[data-control] [name]").all():
        control.evaluate("control => { control.value = ''; }")
    page.get_by_role("button", name="Compute").click()
    for name in REQUIRED:
        expect(page.locator(f"[name={name}]")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"[data-control={name}] .error")).to_contain_text("required")
    for name in ("place", "level", "note"):
        expect(page.locator(f"[data-control={name}] .error")).to_be_empty()


def test_a_link_may_leave_out_what_may_be_missing(visit):
    page = visit(LINK)
    page.get_by_role("button", name="Compute").click()
    assert printed(page)["Place"] == "unknown"
    expect(page.get_by_role("combobox", name="Place")).to_have_value("unknown")


def test_a_choice_can_be_taken_back(visit):
    page = visit(f"{LINK}&place=Dock+7")
    page.get_by_role("button", name="Compute").click()
    assert printed(page)["Place"] == "Dock 7"
    box = page.get_by_role("combobox", name="Place")
    box.fill("unk")
    box.press("Enter")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper-case dd").first).to_have_text("unknown")
