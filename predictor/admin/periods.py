"""Years, months and days, for browsing the log."""

from collections.abc import Iterator
from datetime import UTC, datetime


class Period:
    """A year, a month or a day."""

    def __init__(self, *parts: int) -> None:
        """Raises ValueError when there is no such date."""
        self.parts = parts
        year, month, day = (*parts, 1, 1)[:3]
        self.start = datetime(year, month, day, tzinfo=UTC)

    @classmethod
    def parse(cls, text: str) -> "Period | None":
        """Parse a period (2026, 2026-11 or 2026-11-23); None if it is not one."""
        try:
            parts = [int(part) for part in text.split("-")]
            return cls(*parts) if 1 <= len(parts) <= 3 else None
        except (ValueError, OverflowError):
            return None

    @property
    def end(self) -> datetime | None:
        """The beginning of the next period; None after the last possible one."""
        *above, last = self.parts
        try:
            return Period(*above, last + 1).start
        except ValueError:
            return Period(*above).end if above else None

    def __str__(self) -> str:
        return "-".join(f"{part:02d}" for part in self.parts)

    @property
    def title(self) -> str:
        form = ("%Y", "%B %Y", "%-d %B %Y")[len(self.parts) - 1]
        return self.start.strftime(form)

    @property
    def short_title(self) -> str:
        """Its title inside the larger period."""
        return self.start.strftime(("%Y", "%B", "%-d")[len(self.parts) - 1])

    def overlaps(self, oldest: datetime, newest: datetime) -> bool:
        """Whether the period includes any moment from ``oldest`` to ``newest``."""
        return self.start <= newest and (self.end is None or self.end > oldest)

    def above(self) -> "Iterator[Period]":
        """The year and the month that contain it."""
        for length in range(1, len(self.parts)):
            yield Period(*self.parts[:length])

    def inside(self) -> "Iterator[Period]":
        """The months of a year, the days of a month."""
        if len(self.parts) == 3:
            return
        for number in range(1, 13 if len(self.parts) == 1 else 32):
            try:
                yield Period(*self.parts, number)
            except ValueError:
                return
