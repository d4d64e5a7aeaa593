"""Requests to a served model over HTTP, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.test import Client

from predictor.artifacts.texts import text_of


def ask_one(client: Client, model: str, body: Any) -> Any:
    """The answer to an item, or to an array of them; the problem document if refused."""
    answer = client.post(
        f"/api/models/{model}/predict", json.dumps(body), content_type="application/json"
    )
    return answer.json()


def ask_csv(client: Client, model: str, items: Sequence[Mapping[str, Any]]) -> Any:
    """The scores in the answer to a CSV of ``items``; the problem document if refused."""
    names = list(dict.fromkeys(name for item in items for name in item))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([text_of(item.get(name)) for name in names] for item in items)
    answer = client.post(
        f"/api/models/{model}/predict", text.getvalue().encode(), content_type="text/csv"
    )
    if answer.status_code != 200:
        return answer.json()
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    return [{k: float(v) for k, v in row.items() if k not in names} for row in rows]
