"""The URL routes: which application answers which path."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("predictor.urls")),
    path("", include("batclient.urls")),
]

handler400 = "batclient.refusals.bad_request"
handler403 = "batclient.refusals.permission_denied"
handler404 = "batclient.refusals.page_not_found"
handler500 = "batclient.refusals.server_error"
