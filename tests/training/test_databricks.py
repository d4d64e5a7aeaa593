"""The Databricks asset bundle: its references exist, and its parameters are used."""

import importlib
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from predictor.artifacts.names import check_name, version_key
from tests.training.databricks import Dbutils
from tests.training.streets import REPOSITORY
from training.parameters import job_parameters

yaml = pytest.importorskip("yaml")

FOLDER = REPOSITORY / "databricks"
BUNDLE = yaml.safe_load((FOLDER / "databricks.yml").read_text())
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
JOBS = BUNDLE["resources"]["jobs"]
LIBRARIES = BUNDLE["variables"]["libraries"]["default"]
TASKS = [(job, task) for job in JOBS.values() for task in job["tasks"]]
THEIR_PYTHON = {"python_version": "3.12", "python_full_version": "3.12.3"}  # runtime 17.3's
NOTEBOOKS = [(job, t["notebook_task"]) for job, t in TASKS if "notebook_task" in t]


def test_a_job_s_parameters_take_the_place_of_the_notebook_s():
    defaults = {"MODELS": "models", "TREES": 120, "PUBLISH": False}
    assert job_parameters(None, **defaults) == defaults
    given = Dbutils({"TREES": "5", "PUBLISH": "true"})
    assert job_parameters(given, **defaults) == {"MODELS": "models", "TREES": 5, "PUBLISH": True}
    with pytest.raises(ValueError, match="PUBLISH must be true or false"):
        job_parameters(Dbutils({"PUBLISH": "yes"}), **defaults)


@pytest.mark.parametrize(("job", "task"), NOTEBOOKS, ids=lambda each: each.get("name", "task"))
def test_a_notebook_asks_for_what_it_is_given(job, task):
    source = (FOLDER / task["notebook_path"]).read_text()
    for name in task["base_parameters"]:
        assert re.search(rf"\b{name}=", source), name


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_a_job_is_whole(job):
    clusters = {cluster["job_cluster_key"] for cluster in job["job_clusters"]}
    declared = {parameter["name"] for parameter in job["parameters"]}
    tasks = {task["task_key"] for task in job["tasks"]}
    for task in job["tasks"]:
        assert task.get("job_cluster_key", next(iter(clusters))) in clusters
        assert {each["task_key"] for each in task.get("depends_on", [])} <= tasks
    text = yaml.safe_dump(job["tasks"])
    assert set(re.findall(r"job\.parameters\.(\w+)", text)) == declared


def test_variables_are_declared():
    used = set(re.findall(r"\$\{var\.(\w+)\}", (FOLDER / "databricks.yml").read_text()))
    assert used == set(BUNDLE["variables"])


def test_the_wheel_has_its_entry_points():
    """tests/test_package.py builds it, and looks at its packages and data."""
    for _, task in TASKS:
        if "python_wheel_task" in task:
            target = PROJECT["project"]["scripts"][task["python_wheel_task"]["entry_point"]]
            module, _, function = target.partition(":")
            assert callable(getattr(importlib.import_module(module), function))


def test_no_cluster_is_given_a_key():
    text = (FOLDER / "databricks.yml").read_text()
    assert "secrets/" not in text
    given = BUNDLE["variables"]["environment"]["default"]
    assert set(given) == {"AZURE_STORAGE_ACCOUNT", "DATABRICKS_DEFAULT_SERVICE_CREDENTIAL_NAME"}


def test_versions_are_named_in_the_order_of_their_runs():
    """A run's id says nothing of time: that of a later run may be smaller."""
    named = {
        p["default"] for job in JOBS.values() for p in job["parameters"] if p["name"] == "version"
    }
    (by_time,) = (name for name in named if "{{" in name)
    assert "run_id" not in by_time
    runs = [("2026-11-23", "1795392000000"), ("2026-11-23", "1795392000001"), ("2026-11-24", "1")]
    names = [
        by_time.replace("{{job.start_time.iso_date}}", day).replace(
            "{{job.start_time.timestamp_ms}}", moment
        )
        for day, moment in runs
    ]
    assert all(check_name("version", name) for name in names)
    assert sorted(names, key=version_key) == names


def test_libraries_are_those_of_the_server():
    pins = (REPOSITORY / "requirements-dev.txt").read_text()
    lines = re.findall(r"^([\w.-]+==[^\\\n]+)", pins, re.MULTILINE)
    pinned = {
        f"{each.name}{each.specifier}"
        for each in map(Requirement, lines)
        if each.marker is None or each.marker.evaluate(THEIR_PYTHON)
    }
    listed = [each["pypi"]["package"] for each in LIBRARIES if "pypi" in each]
    names = {pin.partition("==")[0] for pin in pinned}
    assert listed
    assert {each for each in listed if each.partition("==")[0] in names} <= pinned
    # libraries that determine a pickle's numbers are never left to the cluster's version
    assert {"numpy", "pandas", "scikit-learn", "scipy"} <= {
        each.partition("==")[0] for each in listed
    }


def test_the_wheel_asks_for_no_other_versions():
    listed = dict(each["pypi"]["package"].split("==") for each in LIBRARIES if "pypi" in each)
    lines = (REPOSITORY / "requirements-base.in").read_text().splitlines()
    for wanted in (Requirement(line) for line in lines if not line.startswith("#")):
        if wanted.name in listed:
            assert listed[wanted.name] in wanted.specifier
        else:
            assert wanted.name in {"cryptography", "requests", "urllib3"}, "the runtime has them"


def test_the_pipeline_finds_its_jobs():
    asked = yaml.safe_load((REPOSITORY / "pipelines/train.yml").read_text())["parameters"]
    names = {job["name"] for job in JOBS.values()}
    assert {f"train-{model}" for model in asked[0]["default"]} <= names
