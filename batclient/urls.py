"""Routes of the pages; predictor.urls registers the model converter."""

from django.urls import path

from batclient import script_views, views

urlpatterns = [
    path("", views.console, name="console"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("<model:name>/", views.console, name="model-console"),
    path("<model:name>/card", views.model_card, name="model-card"),
    path("<model:name>/map", views.wall_map, name="wall-map"),
    path("<model:name>/map.csv", views.wall_map_csv, name="wall-map-csv"),
    path("<model:name>/what-if", script_views.what_if, name="what-if"),
    path("<model:name>/bulk", script_views.bulk, name="bulk"),
    path("<model:name>/outcome/<uuid:identity>", script_views.outcome, name="page-outcome"),
    path("<model:name>/template.csv", views.csv_template, name="csv-template"),
]
