"""Routes of the API and its documents; middleware answers the probes before any route."""

from django.urls import URLPattern, path, register_converter
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView

from predictor.api import model_views, outcomes, records, retrainings, v2
from predictor.api.converters import ModelNameConverter, PageNameConverter
from predictor.api.docs_page import DocsView
from predictor.api.predict_view import PredictView

register_converter(ModelNameConverter, "model")
register_converter(PageNameConverter, "page")

# Large, and fetched often by tools: sent compressed, or as 304 if unchanged.
_schema = gzip_page(
    conditional_page(SpectacularAPIView.as_view(renderer_classes=[OpenApiJsonRenderer2]))
)


def _v2(version: str, name: str) -> list[URLPattern]:
    """Routes of the Open Inference Protocol for a model, or for one version of it."""
    model = f"v2/models/<model:name>{version}"
    return [
        path(model, v2.ModelView.as_view(), name=name),
        path(f"{model}/ready", v2.ReadyView.as_view(), name=f"{name}-ready"),
        path(f"{model}/infer", v2.InferView.as_view(), name=f"{name}-infer"),
    ]


urlpatterns = [
    path("api/predict", PredictView.as_view(), name="predict"),
    path("api/predict/params", model_views.ParamsView.as_view(), name="params"),
    path("api/predictions", records.RecordsView.as_view(), name="predictions"),
    path("api/predictions/outcomes", outcomes.OutcomesView.as_view(), name="outcomes"),
    path("api/predictions/<uuid:identity>", records.RecordView.as_view(), name="prediction"),
    path("api/predictions/<uuid:identity>/outcome", outcomes.OutcomeView.as_view(), name="outcome"),
    path("api/retrainings/<int:number>", retrainings.RetrainingView.as_view(), name="retraining"),
    path("api/info", model_views.InfoView.as_view(), name="info"),
    path("api/models", model_views.ModelsView.as_view(), name="models"),
    path("api/models/<model:name>/predict", PredictView.as_view(), name="model-predict"),
    path("api/models/<model:name>/params", model_views.ParamsView.as_view(), name="model-params"),
    path("api/models/<model:name>/compare", model_views.CompareView.as_view(), name="compare"),
    path("api/models/<model:name>/info", model_views.InfoView.as_view(), name="model-info"),
    path("v2", v2.ServerView.as_view(), name="v2"),
    *_v2("", "v2-model"),
    *_v2("/versions/<str:version>", "v2-version"),
    path("swagger.json", _schema, name="schema"),
    path("openapi.json", _schema, name="openapi"),  # the name that many tools expect
    path("api/docs", DocsView.as_view(), name="docs"),
]
