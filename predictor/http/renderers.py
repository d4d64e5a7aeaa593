"""Answers as JSON, and CSV let through."""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class JSONRenderer(BaseRenderer):
    """orjson: the fastest there is for small answers, and it refuses NaN by writing null."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)


class CSVRenderer(JSONRenderer):
    """Lets ``Accept: text/csv`` through; the rows themselves are streamed, not rendered."""

    media_type = "text/csv"
    format = "csv"
