"""The query of the first admin page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from predictor.log import history
from predictor.log.traffic import SPANS
from predictor.serving.current import serving


@dataclass(frozen=True)
class DashboardQuery:
    """What the page shows: one model or all, a span of time, a window of accuracy, one drift."""

    model: str = ""
    span: str = "day"
    days: str = ""
    drift: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, Any]) -> "DashboardQuery":
        """Parse a query string; unknown values become the default."""
        model, span = str(query.get("model", "")), str(query.get("span", ""))
        return cls(
            model if _is_known(model) else "",
            span if span in SPANS else "day",
            str(query.get("days", "")),
            str(query.get("drift", "")),
        )

    def link(self, **changed: str) -> str:
        """A link to the same page with other values chosen."""
        chosen = {**vars(self), **changed}
        default = vars(DashboardQuery())
        query = {name: value for name, value in chosen.items() if value != default[name]}
        return f"?{urlencode(query)}"

    @property
    def about(self) -> str:
        """The model to show in detail: the chosen one, or the only one."""
        names = serving().names()
        return self.model or (names[0] if len(names) == 1 else "")


def _is_known(model: str) -> bool:
    """Whether the model is served, or has answered in the past."""
    return model in serving().names() or model in dict(history.versions())
