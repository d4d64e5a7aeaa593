"""Draws the bitmaps: icons, and the background on which batclient/picture.py writes verdicts.

    .venv/bin/python -m tests.browser.pictures

They use the page's emblem, colours and fonts, so draw them again when these change.
"""

import base64
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS
from tests.servers import ROOT, chromium

STATIC = ROOT / "batclient" / "static" / "batclient"
PICTURES = STATIC / "pictures"
COLOURS = 128  # of the background
BAT = (
    "M50 20L52.5 16.5L55.5 7L60.5 17.5C68 17.5 75 13 78 4C90 9 97.5 20.5 98.5 35.5C92.5 31.5 86 "
    "32.5 82.5 39C77.5 34.5 71.5 35.5 68 41.5C63.5 39 59 41.5 57 47L50 58L43 47C41 41.5 36.5 39 "
    "32 41.5C28.5 35.5 22.5 34.5 17.5 39C14 32.5 7.5 31.5 1.5 35.5C2.5 20.5 10 9 22 4C25 13 32 "
    "17.5 39.5 17.5L44.5 7L47.5 16.5 Z"
)
SHARED = (
    "<p style='margin:0;padding:88px 44px;font:400 92px/1.15 Righteous;color:#d8ffe4'>"
    "Ask. Read<br>the odds.</p>"
)
SIGN = "font:400 54px Righteous;color:#ffd866;letter-spacing:1px"


def draw_all() -> None:
    """Write every picture into the static files."""
    emblem = (STATIC / "emblem.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page()
        for size, share in ((180, 0.72), (192, 0.8), (512, 0.62)):
            _icon(page, emblem, size, share).save(PICTURES / f"icon-{size}.png", optimize=True)
        large = _icon(page, emblem, 256, 1.0, ground="transparent")
        large.save(PICTURES / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)])
        for name, fill in (("lit", "#8dffb2"), ("dark", "#1d4a30")):
            _bat(page, fill).save(PICTURES / f"bat-{name}.png", optimize=True)
        for name, text in (("verdict", ""), ("share", SHARED)):
            ground = _ground(page, emblem, text)
            ground.quantize(COLOURS).save(PICTURES / f"{name}.png", optimize=True)
        browser.close()


def _shot(page: Page, html: str, width: int, height: int, *, clear: bool = False) -> Image.Image:
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(f"<body style='margin:0'>{html}")
    page.evaluate("document.fonts.ready")
    shot = page.screenshot(omit_background=clear)
    return Image.open(io.BytesIO(shot))


def _icon(page: Page, emblem: str, size: int, share: float, ground: str = "#0a0d13") -> Image.Image:
    html = (
        f"<div style='width:{size}px;height:{size}px;display:grid;place-items:center;"
        f"background:{ground}'><div style='width:{size * share}px;display:grid'>{emblem}</div>"
    )
    return _shot(page, html, size, size, clear=True)


def _bat(page: Page, fill: str) -> Image.Image:
    html = f"<svg width=78 height=47 viewBox='0 0 100 60'><path fill='{fill}' d='{BAT}'/></svg>"
    return _shot(page, html, 78, 47, clear=True)


def _ground(page: Page, emblem: str, text: str) -> Image.Image:
    face = (STATIC / "fonts" / "righteous-latin-400-normal.woff2").read_bytes()
    html = f"""<style>
      @font-face {{ font-family: Righteous; src: url(data:font/woff2;base64,{_base64(face)}); }}
      svg {{ display: block; }}
      .sheet {{ width: 1200px; height: 630px; box-sizing: border-box; padding: 34px 44px 44px;
        background: linear-gradient(#59646f, #434d58 70px, #2f373f); }}
      .hood {{ display: flex; align-items: center; gap: 22px; height: 84px; {SIGN} }}
      .hood div {{ width: 76px; }}
      .screen {{ height: 448px; margin-top: 20px; border: 14px solid #14181d; border-radius: 34px;
        box-shadow: 0 1px 0 #ffffff55, inset 0 0 60px #000;
        background: repeating-linear-gradient(#8dffb20f 0 2px, #0000 2px 48px),
          repeating-linear-gradient(90deg, #8dffb20f 0 2px, #0000 2px 48px),
          radial-gradient(ellipse at 45% 38%, #11492b 0%, #08290f 55%, #04150c 100%); }}
    </style><div class=sheet><div class=hood><div>{emblem}</div>BATCOMPUTER</div>
    <div class=screen>{text}</div></div>"""
    return _shot(page, html, 1200, 630).convert("RGB")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    Path(PICTURES).mkdir(exist_ok=True)
    draw_all()
