"""The build: the release, and the versions of libraries that determine its behaviour."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily

_NAMED = {"django": "django", "scikit_learn": "scikit-learn", "numpy": "numpy"}


def build_info() -> GaugeMetricFamily:
    """A gauge of 1, with the versions as labels."""
    release = str(settings.SPECTACULAR_SETTINGS["VERSION"])
    labels = {"version": release, "python": platform.python_version(), **_packages()}
    info = GaugeMetricFamily("batcomputer_build_info", "What runs", labels=list(labels))
    info.add_metric(list(labels.values()), 1)
    return info


@cache
def _packages() -> dict[str, str]:
    return {label: _version(package) for label, package in _NAMED.items()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
