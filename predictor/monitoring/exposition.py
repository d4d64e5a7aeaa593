"""GET /metrics: the counts of all workers, and what is looked up at the moment of asking."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from predictor.artifacts.version import ModelVersion
from predictor.errors import ModelUnavailable
from predictor.log.drift import Drift, drift
from predictor.serving.current import serving


class Now(Collector):
    """Figures that are not counted but looked up."""

    def collect(self) -> Iterator[Metric]:
        yield from _models()
        yield from _spool()


def _models() -> Iterator[Metric]:
    active = GaugeMetricFamily(
        "batcomputer_active_version", "The version that answers", labels=["model", "version"]
    )
    drifted = GaugeMetricFamily(
        "batcomputer_drift_psi",
        "Population stability index of what is asked and answered, at most five minutes old",
        labels=["model", "version", "subject"],
    )
    for name in serving().names():
        try:
            model = serving().active(name)
        except ModelUnavailable:
            continue
        active.add_metric([name, model.version], 1)
        for one in _drift(model):
            drifted.add_metric([name, model.version, one.subject], one.psi)
    yield active
    yield drifted


def _drift(model: ModelVersion) -> list[Drift]:
    try:
        return drift(model)
    except DatabaseFailure:  # all other figures are the more wanted then
        return []


def _spool() -> Iterator[Metric]:
    folder = Path(settings.SPOOL_DIR)
    sizes = [size for path in folder.glob("*.jsonl") if (size := _size(path))]
    yield GaugeMetricFamily(
        "batcomputer_log_spool_files", "Files of the spool that hold rows", len(sizes)
    )
    yield GaugeMetricFamily("batcomputer_log_spool_bytes", "What they hold", sum(sizes))
    yield GaugeMetricFamily(
        "batcomputer_log_refused_files",
        "Files of the spool that wait for a person: refused rows, damaged lines",
        len(list(folder.glob("*.refused"))),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # replayed this moment
        return 0


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Now())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    body = generate_latest(registry) + generate_latest(REGISTRY)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
