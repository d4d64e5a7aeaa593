"""The filters of the log, in the form that Django's list of cases takes."""

from typing import Any

from django.contrib.admin import ListFilter
from django.http import HttpRequest

from predictor.admin.filters import PARAMETERS, CaseQuery, Predictions


class CaseFilter(ListFilter):
    """All filters of the log as one for Django; the page draws them itself."""

    title = "cases"
    template = "admin/hidden_filter.html"
    parameters = PARAMETERS

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in PARAMETERS:
            params.pop(name, None)
        self._asked = CaseQuery.parse(request.GET)

    def has_output(self) -> bool:
        return True  # else Django would not apply it

    def expected_parameters(self) -> list[str | None]:
        return list(PARAMETERS)

    def choices(self, changelist: Any) -> list[Any]:  # type: ignore[override] # typed as an iterator
        return []

    def queryset(self, request: HttpRequest, queryset: Predictions) -> Predictions:
        return self._asked.filtered(queryset)
