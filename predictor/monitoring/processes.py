"""The operating system's figures for the service's processes: master, workers and scorers."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

# For these, the least value of all processes is shown; for the others, the sum.
_LEAST = {"process_start_time_seconds", "process_max_fds"}


class ServiceProcesses(Collector):
    """prometheus_client's ``process_*``, over this worker's master and all its descendants."""

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        values: dict[str, list[float]] = {}
        for pid in family(os.getppid()):
            collector = ProcessCollector(pid=partial(int, pid), registry=CollectorRegistry())
            for metric in collector.collect():
                families.setdefault(metric.name, metric)
                values.setdefault(metric.name, []).append(metric.samples[0].value)
        for name, metric in families.items():
            least = name in _LEAST
            value = min(values[name]) if least else sum(values[name])
            metric.samples = [metric.samples[0]._replace(value=value)]
            yield metric


def family(pid: int) -> list[int]:
    """A process and all its descendants, as far as the system lists them."""
    found = [pid]
    for parent in found:  # the loop appends to it
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:  # it has ended, or the system has no such list
            continue
        found += map(int, children.split())
    return found
