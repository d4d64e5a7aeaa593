"""Keys in Django admin: made, named, limited, revoked. A key itself is shown once, when made."""

from django.contrib import admin
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey

from predictor.keys.models import ApiKey

admin.site.unregister(APIKey)  # the package's own model, which has no rate


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin):
    """The package's admin with the rate beside the rest."""

    # the package types these as tuples of exactly its own length
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
