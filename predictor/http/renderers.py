"""Responses as JSON, and CSV passed through."""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class JSONRenderer(BaseRenderer):
    """orjson: the fastest for small responses; it writes NaN as null."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)


class CSVRenderer(JSONRenderer):
    """Allows ``Accept: text/csv``; the rows are streamed, not rendered."""

    media_type = "text/csv"
    format = "csv"
