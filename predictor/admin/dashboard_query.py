"""What an administrator asks the first page for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from predictor.log import history
from predictor.log.traffic import SPANS
from predictor.serving.current import serving


@dataclass(frozen=True)
class DashboardQuery:
    """What the page is about: a model or all, a span of time, a window of accuracy, one drift."""

    model: str = ""
    span: str = "day"
    days: str = ""
    drift: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, Any]) -> "DashboardQuery":
        """What an address asks; what there is not is left at its default."""
        model, span = str(query.get("model", "")), str(query.get("span", ""))
        return cls(
            model if _is_known(model) else "",
            span if span in SPANS else "day",
            str(query.get("days", "")),
            str(query.get("drift", "")),
        )

    def link(self, **changed: str) -> str:
        """The same page with something else chosen."""
        chosen = {**vars(self), **changed}
        default = vars(DashboardQuery())
        query = {name: value for name, value in chosen.items() if value != default[name]}
        return f"?{urlencode(query)}"

    @property
    def about(self) -> str:
        """The model that is shown in full: the one chosen, or the only one there is."""
        names = serving().names()
        return self.model or (names[0] if len(names) == 1 else "")


def _is_known(model: str) -> bool:
    """Whether it is served, or answered once."""
    return model in serving().names() or model in dict(history.versions())
