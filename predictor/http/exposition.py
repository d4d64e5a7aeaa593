"""``/metrics``: the counters, and the figures that are looked up at each scrape."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from predictor.log import writer
from predictor.log.drift import REQUESTS, drift
from predictor.log.writer.disk import log_disk
from predictor.monitoring import held
from predictor.monitoring.build import build_info
from predictor.monitoring.processes import ServiceProcesses
from predictor.serving.current import REFUSED, serving


def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics in Prometheus' text format."""
    held.settle()
    registry = CollectorRegistry()
    registry.register(LiveMetrics())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry.register(ServiceProcesses())
        if Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).is_dir():  # else its counts are in memory
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    body = generate_latest(registry) + generate_latest(REGISTRY)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


class LiveMetrics(Collector):
    """Metrics that are looked up at each scrape, not counted."""

    def collect(self) -> Iterator[Metric]:
        database_is_up = not writer.is_kept() or writer.condition().database
        yield build_info()
        yield from _models(database_is_up=database_is_up)
        if writer.is_kept():
            yield GaugeMetricFamily(
                "batcomputer_database_up", "1 where the database takes rows", int(database_is_up)
            )
            yield from _spool()
            yield from _disks()


def _models(*, database_is_up: bool) -> Iterator[Metric]:
    active = GaugeMetricFamily(
        "batcomputer_active_version", "The version that answers", labels=["model", "version"]
    )
    refused = GaugeMetricFamily(
        "batcomputer_model_refused", "1 where no version of the model can answer", labels=["model"]
    )
    labels = ["model", "version", "subject"]
    index = GaugeMetricFamily(
        "batcomputer_drift_psi",
        "Population stability index of what is asked and answered, kept for two hours at most",
        labels=labels,
    )
    drifted = GaugeMetricFamily(
        "batcomputer_drifted",
        "1 where that is over the threshold, and no chance",
        labels=labels,
    )
    at_hand = serving().at_hand()
    for name in serving().names():
        is_refused = name not in at_hand and serving().state(name).name == REFUSED
        refused.add_metric([name], int(is_refused))
    for name, model in at_hand.items():
        active.add_metric([name, model.version], 1)
        try:
            found = drift(model) if database_is_up else []
        except DatabaseFailure:  # the other metrics matter even more then
            found = []
        for one in found:
            if one.population == REQUESTS:
                index.add_metric([name, model.version, one.subject], one.psi)
                drifted.add_metric([name, model.version, one.subject], int(one.drifted))
    yield from (active, refused, index, drifted)


def _spool() -> Iterator[Metric]:
    found = writer.waiting()
    yield GaugeMetricFamily(
        "batcomputer_log_spool_files", "Files of the spool that hold rows", found.files
    )
    yield GaugeMetricFamily("batcomputer_log_spool_bytes", "What they hold", found.size)
    yield GaugeMetricFamily(
        "batcomputer_log_spool_oldest_seconds",
        "Age of the oldest row that waits there; 0 where none does",
        max(time.time() - found.oldest.timestamp(), 0) if found.oldest else 0,
    )
    yield GaugeMetricFamily(
        "batcomputer_log_refused_files",
        "Files of the spool that wait for a person: refused rows, damaged lines",
        found.refused,
    )


def _disks() -> Iterator[Metric]:
    free = GaugeMetricFamily(
        "batcomputer_disk_free_bytes", "Free room of the disk that holds it", labels=["place"]
    )
    size = GaugeMetricFamily(
        "batcomputer_disk_size_bytes", "Size of the disk that holds it", labels=["place"]
    )
    places = {"spool": Path(settings.SPOOL_DIR)}
    if connection.vendor == "sqlite":
        places["log"] = Path(connection.settings_dict["NAME"]).parent
    for place, folder in places.items():
        free_bytes, all_bytes = log_disk(folder).usage()
        free.add_metric([place], free_bytes)
        size.add_metric([place], all_bytes)
    yield free
    yield size
