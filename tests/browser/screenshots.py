"""Takes the documentation's pictures: ``python -m tests.browser.screenshots docs/images``.

Names after the folder (``wall-map admin-cases``) take these alone.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from sklearn.ensemble import RandomForestRegressor

from benchmarks.filling import run
from tests import bundles
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.servers import ROOT, Batcomputer, batcomputer, chromium, manage, server_env

CASE = "/crime/?force=Kent+Police&crime=Burglary&month=10"


def answered(page: Page) -> None:
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    expect(page.locator(".ranking li").first).to_be_visible()
    page.wait_for_timeout(2_000)  # the show


def nothing(page: Page) -> None:
    """Leave the page as it opens."""


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


def curve(page: Page) -> None:
    page.get_by_role("button", name="Compute").click()
    expect(page.locator(".paper:not(.paper-blank)")).to_be_visible()
    expect(page.locator(".what-if input[type=range]")).to_be_visible()
    page.wait_for_timeout(2_000)  # the show
    page.locator(".what-if").evaluate("panel => panel.scrollIntoView()")


def install_batmobile(models: Path) -> None:
    """A model that answers with numbers, as no demo does: the Batmobile's stopping distance."""
    draw = np.random.default_rng(1939)
    speed, wet = draw.uniform(20, 320, 4_000), draw.integers(0, 2, 4_000)
    metres = speed / 3.6 + (speed / 3.6) ** 2 / (2 * 9.81 * np.where(wet, 0.4, 0.8))
    forest = RandomForestRegressor(40, min_samples_leaf=20, random_state=0)
    forest.fit(np.column_stack([speed, wet]), metres + draw.normal(0, 15, 4_000))
    about = {
        "title": "Will the Batmobile halt in time?",
        "description": "The way from the first sight of a villain to a standstill.",
        "features": {
            "speed": {"title": "Speed", "unit": "km/h", "minimum": 20, "maximum": 320,
                      "default": 180},
            "road": {"title": "Road"},
        },
        "outputs": {"way": {"title": "Way to halt", "unit": "m"}},
    }  # fmt: skip
    lookup = {"speed": 0.0, "road": {"dry": 0, "wet": 1}}
    bundles.install(
        models, "batmobile", estimator=forest, lookup=lookup, flags=["way"], metadata=about
    )


# path, width, height, what happens first, whether the whole page is shown
Shot = tuple[str, int, int, Callable[[Page], None], bool]
SHOTS: dict[str, Shot] = {
    "console": (CASE, 1600, 1000, answered, False),
    "what-if": (CASE, 1280, 800, what_if, False),
    "curve": ("/batmobile/?speed=180&road=wet&vary=speed", 1280, 800, curve, False),
    "why": (CASE, 1280, 800, why, False),
    "case": (CASE, 1280, 900, case, False),
    "console-ready": ("/crime/", 1280, 800, nothing, False),
    "console-refused": ("/crime/", 1280, 800, refused, False),
    "console-phone": (CASE, 390, 844, phone, False),
    "titanic": ("/titanic/?class=1st&sex=Female&age=Adult", 1280, 900, answered, False),
    "wall-map": ("/crime/map", 1280, 900, pointed_at, False),
}


# pages of the administrator, over a month of a log
ADMIN: dict[str, Shot] = {
    "admin-dashboard": ("/admin/?span=month", 1280, 1240, nothing, False),
    "admin-cases": ("/admin/predictor/prediction/?outcome=right&sort=-score", 1280, 900, nothing,
                    False),
}  # fmt: skip
BY_NIGHT = {"admin-cases"}


def main(target: Path, *names: str) -> None:
    """Serve the models and write one PNG per state into ``target``; of ``names``, if any."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = names or (*SHOTS, *ADMIN)
    demos = {name: shot for name, shot in SHOTS.items() if name in wanted and name != "curve"}
    with tempfile.TemporaryDirectory() as temporary:
        alone, two = Path(temporary) / "models", Path(temporary) / "two"
        install_batmobile(alone)
        for name in ("crime", "titanic"):
            shutil.copytree(ROOT / "models" / name, two / name)
        shoot(target, ROOT / "models", demos)
        shoot(target, alone, {name: SHOTS[name] for name in {"curve"} & set(wanted)})
        shoot(target, two, {name: shot for name, shot in ADMIN.items() if name in wanted})


def shoot(target: Path, models: Path, shots: Mapping[str, Shot]) -> None:
    """Serve ``models`` and take ``shots``."""
    if not shots:
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder, default = Path(temporary), min(path.name for path in models.iterdir())
        env = server_env(folder, models)
        manage(env, "collectstatic", "--no-input", "--verbosity", "0")
        manage(env, "migrate", "--verbosity", "0")
        if ADMIN.keys() & shots.keys():
            run(env, "from tests.browser.month_of_log import fill; fill()")
        settings = {"DEFAULT_MODEL": default, "UPKEEP": "false"}
        with (
            batcomputer(folder, models, migrate=False, **settings) as server,
            sync_playwright() as play,
        ):
            browser = play.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            context = browser.new_context()
            if ADMIN.keys() & shots.keys():
                log_in(server, context)
            for name, (path, width, height, prepare, whole) in shots.items():
                page = context.new_page()
                page.set_viewport_size({"width": width, "height": height})
                page.set_default_timeout(60_000)
                page.emulate_media(color_scheme="dark" if name in BY_NIGHT else "light")
                for _ in range(2):  # the second time, fonts and the like are cached
                    page.goto(server.url + path)
                    page.evaluate("document.fonts.ready")
                prepare(page)
                if prepare is answered:
                    page.evaluate("window.scrollTo(0, 0)")
                page.wait_for_timeout(200)
                save(page.screenshot(full_page=whole), target / f"{name}.png")
                page.close()
            browser.close()


def log_in(server: Batcomputer, context: BrowserContext) -> None:
    """Log an administrator in."""
    password = {"DJANGO_SUPERUSER_PASSWORD": "the car is in the cave"}
    about = ("--username", "bruce", "--email", "bruce@wayne.example")
    manage(server.env | password, "createsuperuser", "--no-input", *about)
    page = context.new_page()
    page.goto(f"{server.url}/admin/")
    page.get_by_label("Username").fill("bruce")
    page.get_by_label("Password").fill(password["DJANGO_SUPERUSER_PASSWORD"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("What the log shows")).to_be_visible()
    page.wait_for_timeout(6_000)  # every 5 s the server records what it refused
    probes = "Refusal.objects.filter(kind='status 503').delete()"  # before it was ready
    run(server.env, f"from predictor.models import Refusal; {probes}")
    page.close()


def save(picture: bytes, path: Path) -> None:
    """Save the picture in 256 colours: half the size, without a visible difference."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    palette = image.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
