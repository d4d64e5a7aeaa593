"""The filtered log as a file, from Django admin."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse

from predictor.log.exporting import csv_file, json_lines, xlsx
from predictor.models import Prediction

_KINDS: dict[str, tuple[str, Callable[[QuerySet[Prediction]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_file),
    "jsonl": ("application/jsonl", json_lines),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx),
}


def export(model_admin: Any, request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """The rows that match the page's filters and search, as a file; the export is recorded."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if kind not in _KINDS:
        raise Http404(f"there is no export as {kind}")
    content_type, pieces = _KINDS[kind]
    rows = model_admin.get_changelist_instance(request).queryset
    LogEntry.objects.create(
        user_id=request.user.pk,  # type: ignore[misc] # only users can open admin
        content_type=ContentType.objects.get_for_model(Prediction),
        object_repr="the log",
        action_flag=CHANGE,
        change_message=f"Exported as {kind}: {request.GET.urlencode() or 'everything'}",
    )
    name = f"predictions-{datetime.now(UTC):%Y%m%d-%H%M%S}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces(rows), content_type=content_type, headers=headers)
