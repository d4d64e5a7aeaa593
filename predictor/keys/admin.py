"""Keys in Django admin: create, name, limit, revoke. A key is shown once, when it is created."""

from django.contrib import admin
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey

from predictor.keys.models import ApiKey

admin.site.unregister(APIKey)  # the package's admin, which has no rate


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin):
    """The package's admin with the rate added."""

    # the package's types fix the length of these tuples
    list_display = (  # type: ignore[assignment]
        "name",
        "prefix",
        "rate",
        "reads_all",
        "reports_all",
        "created",
        "expiry_date",
        "_has_expired",
        "revoked",
    )
    list_filter = ("revoked", "created", "expiry_date")  # type: ignore[assignment]
