"""The supply chain: packages are pinned with hashes, listed with licences, and audited."""

import hashlib
import json
import os
import re
import subprocess

import pytest

from pipelines import provenance
from tests.servers import ROOT

LISTS = ["requirements", "requirements-dev", "pipelines/requirements"]
PINNED = re.compile(
    r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)([^\n]*\\\n(?:    --hash=[^\n]*\n)+)", re.MULTILINE
)


def pinned(name):
    """(package, version) → its hashes, of a pinned list."""
    text = (ROOT / f"{name}.txt").read_text()
    return {
        (package, version): re.findall(r"--hash=sha256:([0-9a-f]{64})\b", rest)
        for package, version, rest in PINNED.findall(text)
    }


@pytest.mark.parametrize("name", LISTS)
def test_every_package_is_pinned_with_its_hashes(name):
    text = (ROOT / f"{name}.txt").read_text()
    lines = [line for line in text.splitlines() if re.match(r"[^\s#]", line)]
    assert len(lines) == len(pinned(name)) > 5
    assert all(pinned(name).values())
    assert "://" not in re.sub(r"(?m)^ *#.*", "", text), "nothing comes from a place of its own"


def asked_for(name):
    """The packages required by a list and the lists that it includes."""
    text = (ROOT / f"{name}.in").read_text()
    found = {each.lower() for each in re.findall(r"^([a-z][\w.-]*)", text, re.MULTILINE)}
    for other in re.findall(r"^-r (\S+)\.in$", text, re.MULTILINE):
        found |= asked_for(other)
    return found


@pytest.mark.parametrize("name", LISTS)
def test_what_is_asked_for_is_pinned(name):
    assert len(asked_for(name)) >= 1
    assert asked_for(name) <= {package for package, _ in pinned(name)}


@pytest.mark.slow
def test_the_bill_of_materials_and_the_licences_name_what_is_pinned(tmp_path):
    page = ROOT / "docs/licences.md"
    before = page.read_text()
    done = subprocess.run(
        ["scripts/sbom", tmp_path / "sbom.json"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    after = page.read_text()
    page.write_text(before)
    assert after == before, "run scripts/sbom"
    assert "not said" not in before
    assert "not installed" not in before

    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert bill["metadata"]["component"]["name"] == "batcomputer"
    listed = {
        (part["name"], part["version"]): [
            each["content"]
            for reference in part["externalReferences"]
            for each in reference.get("hashes", [])
        ]
        for part in bill["components"]
    }
    assert listed == pinned("requirements")


def audit(**variables):
    outside = {key: value for key, value in os.environ.items() if key not in ("CI", "TF_BUILD")}
    return subprocess.run(
        ["scripts/audit"], cwd=ROOT, env={**outside, **variables},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_no_package_has_a_known_vulnerability():
    done = audit()
    assert done.returncode == 0, done.stdout + done.stderr
    if "nothing was audited: " in done.stdout:
        pytest.skip(done.stdout.partition("nothing was audited: ")[2].strip("\x1b[0m\n"))
    assert "No known vulnerability" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["CI", "TF_BUILD"])
def test_an_audit_that_could_not_look_fails_in_a_pipeline(pipeline):
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    assert audit(**nowhere).returncode == 0
    done = audit(**nowhere, **{pipeline: "true"})
    assert done.returncode == 1
    assert "nothing was audited" in done.stderr


def test_a_bot_knows_every_kind_of_dependency():
    """Without automatic updates, versions get old, and then the scan stops every release."""
    bot = json.loads((ROOT / "renovate.json").read_text())
    assert set(bot["enabledManagers"]) == {
        "azure-pipelines", "custom.regex", "docker-compose", "dockerfile", "github-actions",
    }  # fmt: skip
    marked, caddy = (
        re.compile(m["matchStrings"][0].replace("?<", "?P<")) for m in bot["customManagers"]
    )
    variables = (ROOT / "pipelines/variables.yml").read_text()
    found = {match["depName"] for match in marked.finditer(variables)}
    assert found == {"databricks/cli", "aquasecurity/trivy", "sigstore/cosign"}
    versions = {
        match["currentValue"]
        for name in ("deploy", "container.json")
        for match in caddy.finditer((ROOT / "azure" / name).read_text())
    }
    assert len(versions) == 1, "the script copies the Caddy that the template names"
    assert "scripts/pin --upgrade" in (ROOT / ".github/workflows/update.yml").read_text()


def test_the_base_image_is_rebuilt_every_week_from_a_digest():
    release = (ROOT / "pipelines/release.yml").read_text()
    assert re.search(r"^schedules:.*\n  - cron: .* 1\"$", release, re.MULTILINE)
    assert '--build-arg "PYTHON=$base"' in release
    (base,) = re.findall(r"^ARG PYTHON=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-[a-z]+", base), "no frozen patch"


def test_the_provenance_names_what_went_in(tmp_path, capsys):
    version = tmp_path / "crime/1.0.0"
    version.mkdir(parents=True)
    (version / "model.pkl").write_bytes(b"pickled")
    words = [
        "--models",
        str(tmp_path),
        "--revision",
        "c0ffee",
        "--source",
        "https://git",
        "--run",
        "7",
    ]
    assert provenance.main(["--base", f"python:3@sha256:{'1' * 64}", *words]) == 0
    resolved = json.loads(capsys.readouterr().out)["buildDefinition"]["resolvedDependencies"]
    commit, base, packages, model = resolved
    assert commit["digest"] == {"gitCommit": "c0ffee"}
    assert base == {"uri": "docker://python:3", "digest": {"sha256": "1" * 64}}
    assert packages["name"] == "requirements.txt"
    assert model["name"] == "crime/1.0.0/model.pkl"
    assert model["digest"]["sha256"] == hashlib.sha256(b"pickled").hexdigest()


def test_a_provenance_needs_the_bases_digest(tmp_path, capsys):
    words = ["--models", str(tmp_path), "--revision", "c", "--source", "s", "--run", "7"]
    assert provenance.main(["--base", "python:3.13-slim", *words]) == 1
    assert "names no digest" in capsys.readouterr().err
