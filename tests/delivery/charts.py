"""Renders the chart for tests, and finds objects in the result."""

from copy import deepcopy
from functools import cache
from pathlib import Path

import yaml

from helm import render

EXAMPLES = sorted((render.CHART.parent / "examples").glob("*.yaml"))
VALUE_SETS = [*sorted((render.CHART / "ci").glob("*-values.yaml")), *EXAMPLES]
KUBERNETES = ["1.31", "1.32", "1.33", "1.34", "1.35"]
SECRET = {"existing": "batcomputer-secrets"}
# Custom resources; tests/delivery/test_chart_ways_in.py validates them against their schemas.
OF_OTHERS = {"Gateway", "HTTPRoute", "PrometheusRule", "ServiceMonitor"}


@cache
def text_of(path):
    return path.read_text()


def given(values):
    """The values in a file; if it is an Argo CD application, the values inside it."""
    document = yaml.safe_load(text_of(values))
    if document.get("kind") == "Application":
        return document["spec"]["source"]["helm"]["valuesObject"]
    return document


def objects(values, name="test"):
    """The chart's objects for a file of values, or for values."""
    if isinstance(values, Path):
        return deepcopy(_of_file(values))
    return render.documents(values, name=name, namespace="gotham")


@cache
def _of_file(path):
    return render.documents(given(path), name="test", namespace="gotham")


def some(**values):
    """The chart's objects for these values, with a Secret."""
    return objects({"secret": SECRET, **values})


def named(documents, kind, name):
    (found,) = (d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)
    return found


def only(documents, kind):
    found = [document for document in documents if document["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def pod_specs(documents):
    """(object, metadata, spec) of every pod that the objects make."""
    for document in documents:
        if document["kind"] == "Pod":
            yield document, document["metadata"], document["spec"]
        elif document["kind"] in ("Deployment", "Job"):
            template = document["spec"]["template"]
            yield document, template["metadata"], template["spec"]
        elif document["kind"] == "CronJob":
            template = document["spec"]["jobTemplate"]["spec"]["template"]
            yield document, template["metadata"], template["spec"]


def server_of(documents):
    """The pod template's spec of the Deployment, and its server container."""
    spec = only(documents, "Deployment")["spec"]["template"]["spec"]
    return spec, next(c for c in spec["containers"] if c["name"] == "server")


def containers(spec):
    return [*spec.get("initContainers", []), *spec["containers"]]
