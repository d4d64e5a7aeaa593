"""What the service is made of: pinned with hashes, listed with licences, asked about."""

import json
import re
import subprocess

import pytest

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


@pytest.mark.parametrize("name", LISTS)
def test_what_is_asked_for_is_pinned(name):
    wanted = re.findall(r"^([a-z][\w.-]*)", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
    assert {each.lower() for each in wanted} <= {package for package, _ in pinned(name)}


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


@pytest.mark.slow
def test_no_package_has_a_known_vulnerability():
    done = subprocess.run(
        ["scripts/audit"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if "Skipped: " in done.stdout:
        pytest.skip(done.stdout.partition("Skipped: ")[2].strip("\x1b[0m\n"))
    assert "No known vulnerability" in done.stdout
