"""Values of a request as text: in a form field, a query string, a CSV or a spreadsheet cell."""

import json
from typing import Any


def text_of(value: Any) -> str:
    """``value`` as in a form, a query string or a CSV cell; a missing value is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cell_of(value: Any) -> str | float:
    """``value`` as a cell of a table: numbers stay numbers, the rest is text."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number else text_of(value)
