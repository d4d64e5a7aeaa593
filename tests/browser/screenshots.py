"""The pictures of the documentation: ``python -m tests.browser.screenshots docs/images``."""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS
from tests.servers import ROOT, batcomputer, chromium, manage, server_env

CASE = "/crime/?force=Kent+Police&crime=Burglary&month=10"


def answered(page: Page) -> None:
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    expect(page.locator(".ranking li").first).to_be_visible()
    page.wait_for_timeout(2_000)  # the show


def nothing(page: Page) -> None:
    """The page as it comes."""


def refused(page: Page) -> None:
    page.locator("select[name=crime]").evaluate("select => { select.value = ''; }")
    page.get_by_role("button", name="Compute").click()
    expect(page.locator("#case-1-error")).not_to_be_empty()


def pointed_at(page: Page) -> None:
    page.locator(".heat tbody tr:nth-child(6) td:nth-of-type(4)").hover()


def phone(page: Page) -> None:
    answered(page)
    page.locator(".scope").evaluate("panel => panel.scrollIntoView()")


def why(page: Page) -> None:
    answered(page)
    page.locator(".parts summary").click()
    page.locator(".why").evaluate("panel => panel.scrollIntoView()")


def case(page: Page) -> None:
    answered(page)
    page.goto(page.locator("[data-link]").get_attribute("href") or "")


def what_if(page: Page) -> None:
    answered(page)
    page.locator(".what-if").evaluate("panel => panel.scrollIntoView()")


# name: path, width, height, what happens first, whether the whole page is shown
SHOTS: dict[str, tuple[str, int, int, Callable[[Page], None], bool]] = {
    "console": (CASE, 1600, 1000, answered, False),
    "what-if": (CASE, 1280, 800, what_if, False),
    "why": (CASE, 1280, 800, why, False),
    "case": (CASE, 1280, 900, case, False),
    "console-ready": ("/crime/", 1280, 800, nothing, False),
    "console-refused": ("/crime/", 1280, 800, refused, False),
    "console-phone": (CASE, 390, 844, phone, False),
    "titanic": ("/titanic/?class=1st&sex=Female&age=Adult", 1280, 900, answered, False),
    "wall-map": ("/crime/map", 1280, 900, pointed_at, False),
}


def main(target: Path) -> None:
    """Serve the demo models and write one PNG per state into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder, models = Path(temporary), ROOT / "models"
        manage(server_env(folder, models), "collectstatic", "--no-input", "--verbosity", "0")
        with (
            batcomputer(folder, models, DEFAULT_MODEL="crime") as server,
            sync_playwright() as play,
        ):
            browser = play.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            for name, (path, width, height, prepare, whole) in SHOTS.items():
                page = browser.new_page(viewport={"width": width, "height": height})
                page.set_default_timeout(60_000)
                page.goto(server.url + path)
                prepare(page)
                if prepare is answered:
                    page.evaluate("window.scrollTo(0, 0)")
                page.wait_for_timeout(200)
                save(page.screenshot(full_page=whole), target / f"{name}.png")
                page.close()
            browser.close()


def save(picture: bytes, path: Path) -> None:
    """The picture in 256 colours: half the size, and no one sees it."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    palette = image.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
