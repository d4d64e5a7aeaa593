"""The Grafana dashboard, generated from the alert rules: it shows what alerts watch.

``python helm/render.py`` writes it, as monitoring/dashboard.json and into the chart.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent.parent / "monitoring"
ALERTS = FOLDER / "alerts.yaml"
_COMPARED = re.compile(r"(?P<watched>.+) (?P<operator>[<>]) (?P<limit>[\d.]+)")
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH, _HEIGHT = 12, 8  # of a panel; the grid has 24 columns

# Further panels: (title, expression, legend).
TRAFFIC = [
    ("Requests per second", "sum by (status) (rate(batcomputer_http_requests_total[5m]))",
     "{{status}}"),
    ("Slowest hundredth of requests, seconds",
     "histogram_quantile(0.99, sum by (le, route) (rate(batcomputer_http_request_seconds_bucket[5m])))",  # noqa: E501
     "{{route}}"),
    ("Answers per second", "sum by (model, flag) (rate(batcomputer_predictions_total[5m]))",
     "{{model}}: {{flag}}"),
    ("Version that answers", "max by (model, version) (batcomputer_active_version)",
     "{{model}} {{version}}"),
    ("Memory, bytes", "sum by (pod) (process_resident_memory_bytes)", "{{pod}}"),
    ("Drift (population stability index)",
     "max by (model, subject) (batcomputer_drift_psi)", "{{model}}: {{subject}}"),
]  # fmt: skip


def rules() -> list[dict[str, Any]]:
    """The alert rules, in order."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> str:
    """The dashboard as Grafana imports it."""
    panels = [_panel(*panel) for panel in TRAFFIC] + [_watching(rule) for rule in rules()]
    for number, panel in enumerate(panels):
        row, column = divmod(number, 24 // _WIDTH)
        panel["id"] = number + 1
        panel["gridPos"] = {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    document = {
        "uid": "batcomputer",
        "title": "Batcomputer",
        "tags": ["batcomputer"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }
    return json.dumps(document, indent=2) + "\n"


def _watching(rule: dict[str, Any]) -> dict[str, Any]:
    """A panel of the values that a rule watches, with its limit as a line."""
    compared = _COMPARED.fullmatch(rule["expr"])
    if compared is None:
        raise ValueError(f"{rule['alert']} compares nothing with a number: {rule['expr']}")
    by = re.search(r"by \((.+?)\)", compared["watched"])
    legend = " ".join("{{" + label + "}}" for label in by[1].split(", ")) if by else ""
    panel = _panel(rule["annotations"]["summary"], compared["watched"], legend)
    colours = ("red", "transparent") if compared["operator"] == "<" else ("transparent", "red")
    steps = [
        {"color": colours[0], "value": None},
        {"color": colours[1], "value": float(compared["limit"])},
    ]
    panel["fieldConfig"]["defaults"] = {
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": {"thresholdsStyle": {"mode": "line+area"}},
    }
    panel["description"] = f"{rule['alert']} ({rule['labels']['severity']})"
    return panel


def _panel(title: str, expression: str, legend: str) -> dict[str, Any]:
    target = {"refId": "A", "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
    return {
        "title": title,
        "type": "timeseries",
        "datasource": _SOURCE,
        "targets": [target],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
    }
