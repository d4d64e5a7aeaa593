"""Which part answers which path."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("predictor.urls")),
    path("", include("batclient.urls")),
]

handler400 = "batclient.views.bad_request"
handler403 = "batclient.views.permission_denied"
handler404 = "batclient.views.page_not_found"
handler500 = "batclient.views.server_error"
