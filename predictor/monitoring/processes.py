"""What the system knows of the service's processes: master, workers and scorers as one."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

# Of these the least of all processes is shown, of the others the sum.
_LEAST = {"process_start_time_seconds", "process_max_fds"}


class ServiceProcesses(Collector):
    """prometheus_client's ``process_*``, over the master that started this worker and all below."""

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
    """A process and all that it started, directly or not, as far as the system says."""
    found = [pid]
    for parent in found:  # grows as it goes
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:  # it has ended, or the system keeps no such list
            continue
        found += map(int, children.split())
    return found
