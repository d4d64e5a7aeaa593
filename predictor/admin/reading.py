"""What is on record is for reading: nobody adds, changes or deletes it in admin."""

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """Goes before ModelAdmin; who may look is left to the view permission."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
