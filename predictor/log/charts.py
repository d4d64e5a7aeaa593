"""Bar charts: turns numbers into the geometry of SVG shapes, which templates draw."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 120  # in the drawing's coordinates


@dataclass(frozen=True)
class Bar:
    """One bar: its place, and the text shown on hover."""

    x: float
    y: float
    width: float
    height: float
    title: str
    mark: float | None = None  # height of a line across it
    link: str = ""  # to the rows it counts

    @property
    def end(self) -> float:
        return round(self.x + self.width, 1)


@dataclass(frozen=True)
class Chart:
    """Bars side by side; the highest is as high as the drawing."""

    bars: list[Bar]
    first: str  # the label under the first bar
    last: str
    top: str  # the highest value
    width: int = WIDTH
    height: int = HEIGHT


def columns(
    values: Sequence[tuple[str, float]],
    highest: float | None = None,
    marks: Sequence[float | None] = (),
    ends: tuple[str, str] | None = None,
    links: Sequence[str] = (),
) -> Chart:
    """A chart of (label, value), in order; ``highest`` fixes the scale.

    ``marks`` are values of lines across the bars (None: no line), ``links`` the bars' links;
    ``ends`` replaces the outer labels.
    """
    most = highest or max((value for _, value in values), default=0) or 1
    step = WIDTH / max(len(values), 1)
    bars = [
        Bar(
            round(number * step + step * 0.1, 1),
            round(HEIGHT * (1 - value / most), 1),
            round(step * 0.8, 1),
            round(HEIGHT * value / most, 1),
            f"{label}: {value:,.4g}",
            _line(marks[number], most) if marks else None,
            links[number] if links else "",
        )
        for number, (label, value) in enumerate(values)
    ]
    labels = [label for label, _ in values] or [""]
    first, last = ends or (labels[0], labels[-1])
    return Chart(bars, first, last, _top(most))


def _top(most: float) -> str:
    """Counts in full, measurements to the digits that a reader needs."""
    return f"{most:,.0f}" if most == int(most) else f"{most:,.3g}"


def _line(mark: float | None, most: float) -> float | None:
    return None if mark is None else round(HEIGHT * (1 - mark / most), 1)
