"""Routes of the pages; predictor.urls registers the model converter."""

from django.urls import path

from batclient import case_views, script_views, views

urlpatterns = [
    path("", views.console, name="console"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("language", views.language, name="language"),
    path("robots.txt", views.robots, name="robots"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("offline.js", views.offline, name="offline"),
    path("<model:name>/", views.console, name="model-console"),
    path("<model:name>/surprise", views.surprise, name="surprise"),
    path("<model:name>/case/<uuid:identity>", case_views.case, name="case"),
    path("<model:name>/case/<uuid:identity>.png", case_views.picture, name="case-picture"),
    path("<model:name>/card", views.model_card, name="model-card"),
    path("<model:name>/map", views.wall_map, name="wall-map"),
    path("<model:name>/map.csv", views.wall_map_csv, name="wall-map-csv"),
    path("<model:name>/what-if", script_views.what_if, name="what-if"),
    path("<model:name>/why", script_views.explain, name="why"),
    path("<model:name>/bulk", script_views.bulk, name="bulk"),
    path("<model:name>/bulk/preview", script_views.bulk_preview, name="bulk-preview"),
    path("<model:name>/outcome/<uuid:identity>", script_views.outcome, name="page-outcome"),
    path("<model:name>/template.csv", views.csv_template, name="csv-template"),
]
