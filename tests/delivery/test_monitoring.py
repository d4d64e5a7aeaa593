"""Alert rules and the dashboard made of them, as files and as the chart installs them."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from helm.dashboard import ALERTS, FOLDER, dashboard, rules
from predictor.monitoring import metrics
from tests.delivery.charts import only, some
from tests.servers import ROOT

# The suffixes of the series that prometheus_client makes of one metric.
SUFFIX = re.compile(r"_(total|bucket|count|sum)$")


def promtool(*arguments):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("apt-get install prometheus, which has promtool")
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_works():
    assert "SUCCESS" in promtool("test", "rules", FOLDER / "tests.yaml")


def test_the_chart_brings_the_same_rules(tmp_path):
    rule = only(
        some(prometheusRule={"enabled": True, "labels": {"release": "p"}}), "PrometheusRule"
    )
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text())
    assert rule["metadata"]["labels"]["release"] == "p"
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    assert f"{len(rules())} rules found" in promtool("check", "rules", tmp_path / "rules.yaml")


def test_neither_comes_unasked():
    kinds = [(d["kind"], d["metadata"]["name"]) for d in some()]
    assert "PrometheusRule" not in {kind for kind, _ in kinds}
    assert not any(name.endswith("-dashboard") for _, name in kinds)


def test_the_chart_brings_the_dashboard():
    documents = some(dashboard={"enabled": True})
    (found,) = (d for d in documents if d["metadata"]["name"].endswith("-dashboard"))
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["batcomputer.json"]) == json.loads(dashboard())


def test_every_alert_has_a_panel_with_its_limit():
    panels = {panel.get("description"): panel for panel in json.loads(dashboard())["panels"]}
    for rule in rules():
        panel = panels[f"{rule['alert']} ({rule['labels']['severity']})"]
        watched, limit = panel["targets"][0]["expr"], rule["expr"].rsplit(" ", 1)[1]
        assert rule["expr"].startswith(watched)
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[1]["value"] == float(limit)


def test_every_metric_that_is_asked_for_is_there():
    shown = (ROOT / "docs/metrics.md").read_text()
    expressions = [panel["targets"][0]["expr"] for panel in json.loads(dashboard())["panels"]]
    asked = {
        name
        for expression in (*expressions, *(rule["expr"] for rule in rules()))
        for name in re.findall(r"\b(?:batcomputer|process)_[a-z_]+", expression)
    }
    assert len(asked) > 12
    for name in asked:
        assert f"`{SUFFIX.sub('', name)}" in shown, f"docs/metrics.md does not name {name}"
    counted = {
        family.name
        for own in vars(metrics).values()
        if isinstance(own, MetricWrapperBase)
        for family in own.describe()
    }
    looked_up = (ROOT / "predictor/http/exposition.py").read_text()
    looked_up += (ROOT / "predictor/monitoring/build.py").read_text()
    for name in asked:
        assert SUFFIX.sub("", name) in counted or name in looked_up or name.startswith("process_")
