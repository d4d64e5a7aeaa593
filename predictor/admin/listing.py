"""The list of the log's cases: one page of it, its filters, and its links."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse

from predictor.admin.filters import OUTCOMES, RIGHT, WRONG, CaseQuery, start_of
from predictor.admin.periods import Period
from predictor.admin.titles import case_of, flag_title, flag_titles
from predictor.artifacts.untrusted import sentence
from predictor.log import history
from predictor.log.paging import Position, read_page
from predictor.log.uuid7 import time_of
from predictor.models import Prediction

_MOST_SHOWN = 60  # characters of one value in the list
_PLACE = ["before", "after"]
_LOOKS = [  # the most frequent searches, as buttons
    ("Newest", "?"),
    ("Unsure", "?low=0.4&high=0.6"),
    ("Lowest score", "?sort=score"),
    ("Wrong", "?outcome=wrong"),
    ("With a note", "?noted=yes"),
    ("Slow", "?took=100"),
]


@dataclass(frozen=True)
class ListedCase:
    """A case as the list shows it."""

    row: Prediction
    link: str
    case: str
    flag: str
    score: float
    outcome: str  # right, wrong or not reported
    truth: str  # the flag of the outcome
    note: str


def cases_link(**query: str) -> str:
    """A link to the list with these filters."""
    wanted = {name: value for name, value in query.items() if value}
    return f"{reverse('admin:predictor_prediction_changelist')}?{urlencode(wanted)}"


def line_of(row: Prediction) -> ListedCase:
    """A case as a line of the list."""
    outcome = getattr(row, "outcome", None)
    said = "not reported"
    if outcome is not None:
        said = RIGHT if outcome.flag == row.top_flag else WRONG
    return ListedCase(
        row,
        reverse("admin:predictor_prediction_change", args=[row.id]),
        ", ".join(sentence(shown, _MOST_SHOWN) for _, shown in case_of(row)),
        flag_title(row.model, row.top_flag),
        row.scores.get(row.top_flag, 0.0) if row.top_score is None else row.top_score,
        said,
        flag_title(row.model, outcome.flag) if outcome else "",
        "; ".join(note.text for note in row.notes.all()),
    )


class LogPage(ChangeList):
    """A page of the log by its place, not by its number, so no rows are counted."""

    def get_results(self, request: HttpRequest) -> None:
        self.asked = CaseQuery.parse(request.GET)
        start = start_of(request.GET, self.asked.order)
        self.page = read_page(self.queryset, self.list_per_page, start, self.asked.within())
        self.result_list = self.page.rows
        self.result_count = self.full_result_count = len(self.page.rows)
        self.show_all = self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.page.rows, self.list_per_page)

    def lines(self) -> Iterator[ListedCase]:
        """The page's cases."""
        return map(line_of, self.page.rows)

    def newer_link(self) -> str:
        """The link to the newer rows; empty on the first page."""
        return self._at(after=self.page.back) if self.page.back else ""

    def older_link(self) -> str:
        """The link to the older rows; empty on the last page."""
        return self._at(before=self.page.on) if self.page.on else ""

    def newest_link(self) -> str:
        return self._at()

    def _at(self, **at: Position) -> str:
        return self.get_query_string({name: str(one) for name, one in at.items()}, _PLACE)

    def sorted_by(self) -> dict[str, tuple[str, str]]:
        """By column: its sort order, as aria-sort has it, and the link to the other order."""
        order, found = self.asked.order, {}
        for column, falling, rising in (("time", "", "time"), ("score", "-score", "score")):
            is_by = order.by_score == (column == "score")
            other = rising if is_by and order.falling else falling
            link = self.get_query_string({"sort": other} if other else {}, [*_PLACE, "sort"])
            said = ("descending" if order.falling else "ascending") if is_by else ""
            found[column] = (said, link)
        return found

    def looked(self) -> dict[str, Any]:
        """How far a bounded search went; empty if it searched everything."""
        end = self.page.looked_to
        if end is None:
            return {}
        moment = time_of(end.id)
        oldest, newest = history.span() or (moment, moment)
        oldest = max(oldest, self.asked.since or oldest)
        newest = min(newest, self.asked.until or newest)
        part = (newest - moment) / (newest - oldest) if newest > oldest else 1.0
        if not self.asked.order.falling:
            part = 1 - part
        return {"to": moment, "score": end.score, "part": min(1.0, max(0.0, part))}

    def about(self) -> int | None:
        """The approximate number of rows in the whole log."""
        return history.estimated_size()

    def exports(self) -> list[tuple[str, str]]:
        """(title, link) of the filtered rows in each file format."""
        query = self._at()
        return [
            (title, reverse("admin:predictor_prediction_export", args=[kind]) + query)
            for kind, title in (("csv", "CSV"), ("jsonl", "JSON Lines"), ("xlsx", "Excel"))
        ]

    def is_filtered(self) -> bool:
        """Whether there is any filter besides the sort order."""
        return self.asked != CaseQuery(order=self.asked.order)

    def looks(self) -> list[tuple[str, str, bool]]:
        """(title, link, whether it is shown now) of the most frequent searches."""
        asked = self.get_query_string({}, _PLACE)
        return [(title, query, query == asked) for title, query in _LOOKS]

    def fields(self) -> dict[str, Any]:
        """The choices of the filter form, and the current values."""
        versions = history.versions()
        models = dict.fromkeys(model for model, _ in versions)
        titles = flag_titles()
        flags = [(flag, titles.get(flag, flag)) for flag in history.flags()]
        asked = self.filter_params | {"q": [self.query]}
        return {
            "versions": [(model, f"{model}, all versions") for model in models]
            + [(f"{model}/{version}", f"{model} {version}") for model, version in versions],
            "flags": sorted(flags, key=lambda pair: pair[1].casefold()),
            "outcomes": list(OUTCOMES.items()),
            "sources": [(value, str(label)) for value, label in Prediction.Source.choices],
            "asked": {name: values[-1] for name, values in asked.items()},
        }

    def dates(self) -> dict[str, Any]:
        """The date hierarchy: the link up, and the years, months or days inside."""
        period = Period.parse(str(self.filter_params.get("on", [""])[0]))
        spanned = history.span()
        if spanned is None:
            return {}
        oldest, newest = spanned
        years = (Period(year) for year in range(oldest.year, newest.year + 1))
        inside = period.inside() if period else years
        shown = [p for p in inside if p.overlaps(oldest, newest)]
        return {
            "current": period.title if period else "",
            "all": self.get_query_string({}, ["on", *_PLACE]),
            "above": [(p.title, self._on(p)) for p in (period.above() if period else ())],
            "inside": [(p.short_title, self._on(p)) for p in shown],
        }

    def _on(self, period: Period) -> str:
        return self.get_query_string({"on": str(period)}, _PLACE)
