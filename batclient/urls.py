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
    path("<page:name>/", views.console, name="model-console"),
    path("<page:name>/surprise", views.surprise, name="surprise"),
    path("<page:name>/case/<uuid:identity>", case_views.case, name="case"),
    path("<page:name>/case/<uuid:identity>.png", case_views.picture, name="case-picture"),
    path("<page:name>/card", views.model_card, name="model-card"),
    path("<page:name>/map", views.wall_map, name="wall-map"),
    path("<page:name>/map.csv", views.wall_map_csv, name="wall-map-csv"),
    path("<page:name>/what-if", script_views.what_if, name="what-if"),
    path("<page:name>/why", script_views.explain, name="why"),
    path("<page:name>/bulk", script_views.bulk, name="bulk"),
    path("<page:name>/bulk/preview", script_views.bulk_preview, name="bulk-preview"),
    path("<page:name>/outcome/<uuid:identity>", script_views.outcome, name="page-outcome"),
    path("<page:name>/template.csv", views.csv_template, name="csv-template"),
]
