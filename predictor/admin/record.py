"""Who did what in admin: activations, exports, imports and every change that Django logs."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from predictor.admin.reading import ReadOnly

if TYPE_CHECKING:
    LogEntryAdminBase = admin.ModelAdmin[LogEntry]
else:
    LogEntryAdminBase = admin.ModelAdmin


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, LogEntryAdminBase):
    """The entries of all users; Django shows users only their own entries, and only ten."""

    list_display = ("action_time", "user", "content_type", "object_repr", "what")
    list_display_links = None
    list_filter = ("content_type", "user")
    list_select_related = ("user", "content_type")
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()
