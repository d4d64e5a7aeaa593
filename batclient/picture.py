"""A verdict as a picture, for sites and chats that show previews of links.

Only Pillow reads our font (WOFF2) and writes PNG. It is imported for the first picture, since many
workers draw none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from batclient.printout import Printout

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1200, 630)  # pixels, the size that such sites recommend
_STATIC = Path(__file__).parent / "static" / "batclient"
_LEFT, _RIGHT, _TOP = 92, 1108, 182  # of the screen, in pixels
_PALE, _GREEN = "#d8ffe4", "#8dffb2"
_PLAIN, _BOLD = "barlow-condensed-{}-500-normal", "barlow-condensed-{}-700-normal"
_SIGN = "righteous-{}-400-normal"
_LATIN, _LATIN_EXTENDED = "latin", "latin-ext"
_SMALLEST = 30  # pixels: the smallest letters
_LAST_LATIN, _LAST_EXTENDED = 0xFF, 0x2BA  # last code points of the two font files
_SIGNS = range(0x2000, 0x2070)  # dashes, quotes and the like in the first file


class TextStyle(NamedTuple):
    """The style of a line."""

    size: int  # pixels
    face: str
    fill: str


def draw_verdict(printout: Printout) -> bytes:
    """``printout``'s case, verdict and odds as a PNG of SIZE.

    Characters that the font lacks, such as Hebrew or emoji, are left out.
    """
    from PIL import Image, ImageDraw  # noqa: PLC0415

    picture = Image.open(_STATIC / "pictures" / "verdict.png").convert("RGB")
    pen = ImageDraw.Draw(picture)
    case = "  ·  ".join(line.shown for line in printout.case[:4])
    _write(pen, _TOP, printout.title, TextStyle(40, _PLAIN, _GREEN))
    _write(pen, _TOP + 52, case, TextStyle(46, _BOLD, _PALE))
    _write(pen, _TOP + 120, printout.headline.upper(), TextStyle(76, _SIGN, _GREEN))
    _write(pen, _TOP + 192, printout.odds, TextStyle(128, _SIGN, _PALE))
    if printout.tenths is not None:
        _bats(picture, printout.tenths)
    file = io.BytesIO()
    # a fast way to reduce colours: 40 ms for a whole picture
    picture.quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()


def _bats(picture: Image, lit: int) -> None:
    from PIL import Image  # noqa: PLC0415

    for place in range(10):
        name = "lit" if place < lit else "dark"
        bat = Image.open(_STATIC / "pictures" / f"bat-{name}.png")
        picture.paste(bat, (_LEFT + place * 92, _TOP + 352), bat)


def _write(pen: ImageDraw, top: int, text: str, style: TextStyle) -> None:
    """Write one line: smaller if it is too long for the screen, and cut if it still is."""
    size, most = style.size, _RIGHT - _LEFT
    while size > _SMALLEST and _length(text, style.face, size) > most:
        size -= 4
    while text and _length(text, style.face, size) > most:
        text = text[:-2].rstrip() + "…"
    left = float(_LEFT)
    for part, font in _parts(text, style.face, size):
        pen.text((left, top + size), part, style.fill, font, anchor="ls")
        left += font.getlength(part)


def _length(text: str, face: str, size: int) -> float:
    return sum(font.getlength(part) for part, font in _parts(text, face, size))


def _parts(text: str, face: str, size: int) -> Iterator[tuple[str, FreeTypeFont]]:
    """``text`` letter by letter, each with the font file that has it."""
    for letter in text:
        code = ord(letter)
        if code <= _LAST_LATIN or code in _SIGNS:
            yield letter, _font(face.format(_LATIN), size)
        elif code <= _LAST_EXTENDED:
            # the sign's font has no second file
            extended = _BOLD if face == _SIGN else face
            yield letter, _font(extended.format(_LATIN_EXTENDED), size)


@cache
def _font(name: str, size: int) -> FreeTypeFont:
    from PIL import ImageFont  # noqa: PLC0415

    return ImageFont.truetype(_STATIC / "fonts" / f"{name}.woff2", size)
