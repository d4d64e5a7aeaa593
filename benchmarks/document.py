"""Tables that a script writes into a page, between two comments."""

from __future__ import annotations

from pathlib import Path


def write_tables(page: Path, name: str, tables: str) -> None:
    """Write ``tables`` into ``page`` between ``<!-- name -->`` and ``<!-- end of name -->``."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.read_text().split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}{tables}{end}{after}")
