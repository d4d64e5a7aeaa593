"""Refused requests on the first admin page: by day, by model, and the most frequent."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Sum
from django.urls import reverse

from predictor.admin.dashboard_query import DashboardQuery
from predictor.log.charts import Chart, columns
from predictor.log.traffic import Span
from predictor.models import Refusal

FEWEST_DAYS = 7  # for refusals, which are counted by day
_MOST_BARS = 31
MOST = 20  # lines of a list
_MOST_OF_ALL = 10  # if the list covers all models
DAY = timedelta(days=1)


class RefusedRequests:
    """Refused requests, which are counted by day."""

    def __init__(self, asked: DashboardQuery, span: Span) -> None:
        self.days = max(FEWEST_DAYS, round(span.whole / DAY))
        self._first = datetime.now(UTC).date() - timedelta(days=self.days - 1)
        self._rows = Refusal.objects.filter(day__gte=self._first)
        self._most = MOST if asked.model else _MOST_OF_ALL
        if asked.model:  # without a model: refused before the model was known
            self._rows = self._rows.filter(model__in=[asked.model, ""])

    def chart(self) -> Chart:
        """Refused requests by day, or by several days if the span is long."""
        by_day = dict(
            self._rows.filter(kind__startswith="status")
            .values_list("day").annotate(Sum("count")).order_by("day")
        )  # fmt: skip
        step = -(-self.days // _MOST_BARS)
        starts = [self._first + timedelta(days=n) for n in range(0, self.days, step)]
        bars = [
            (f"{start:%-d %b}", sum(by_day.get(start + timedelta(days=n), 0) for n in range(step)))
            for start in starts
        ]
        log = reverse("admin:predictor_refusal_changelist")
        return columns(bars, links=[f"{log}?{urlencode({'day': start})}" for start in starts])

    def by_model(self) -> dict[str, int]:
        """The number of refused values by model."""
        counted = self._rows.exclude(model="").values_list("model").order_by("model")
        return dict(counted.annotate(Sum("count")))

    def most(self, **wanted: Any) -> list[dict[str, Any]]:
        """The most frequent refusals, each with a link to its days."""
        grouped = self._rows.filter(**wanted).values("kind", "model", "field", "value")
        log = reverse("admin:predictor_refusal_changelist")
        return [
            row | {"link": f"{log}?{urlencode({'kind__exact': row['kind'], 'q': row['value']})}"}
            for row in grouped.annotate(times=Sum("count")).order_by("-times")[: self._most]
        ]
