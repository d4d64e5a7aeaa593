"""Hooks of schemathesis: a schema can only say that CSV is text, so here is valid CSV."""

import csv
import io
import json
import os
from typing import Any

import schemathesis
from hypothesis import strategies as st

ITEM = json.loads(os.environ["CONTRACT_ITEM"])  # a valid item of the model under test


def _csv(rows: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ITEM)
    for _ in range(rows):
        writer.writerow(ITEM.values())
    return text.getvalue().encode()


schemathesis.openapi.media_type("text/csv", st.integers(1, 5).map(_csv))


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Remove CSV examples: with a separate strategy for CSV, text examples cannot be sent.

    tests/test_document.py sends the examples.
    """
    for path in raw_schema["paths"].values():
        for operation in path.values():
            content = operation.get("requestBody", {}).get("content", {})
            content.get("text/csv", {}).pop("example", None)


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """``details`` are for JSON only, which the document cannot express."""
    return not (case.media_type == "text/csv" and "details" in (case.query or {}))
