"""``scripts/release``: one version everywhere, a changelog that can be cut, and its refusals."""

import hashlib
import os
import runpy
import shutil
import subprocess
import tarfile

import pytest
from django.conf import settings

import batcomputer
from tests.clones import clone
from tests.servers import ROOT

RELEASE = runpy.run_path(str(ROOT / "scripts/release"))
CHANGES = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A line.\n\n## 1.0.0 (2026-01-01)\n"


def test_all_that_has_a_version_has_the_same():
    version = RELEASE["current_version"](ROOT)
    for name, place in RELEASE["PLACES"].items():
        assert place.replace("{}", version) in (ROOT / name).read_text(), name
    assert batcomputer.__version__ == version
    assert settings.SPECTACULAR_SETTINGS["VERSION"] == version


def test_the_changelog_can_be_cut():
    text = (ROOT / "CHANGELOG.md").read_text()
    found = list(RELEASE["changelog_problems"](text))
    assert [line for line in found if "there is nothing" not in line] == []


@pytest.mark.parametrize(
    ("unreleased", "said"),
    [
        ("", "there is nothing under Unreleased"),
        ("- A line.\n", "a line is in no group: - A line."),
        ("- A line.\n\n### Added\n\n- Another.\n", "a line is in no group: - A line."),
        ("### Improved\n\n- A line.\n", "'Improved' is none of the groups"),
        ("### Added\n\n### Fixed\n\n- A line.\n", "Added is empty"),
    ],
)
def test_a_changelog_that_cannot_be_cut(unreleased, said):
    text = f"# Changelog\n\n## Unreleased\n\n{unreleased}\n## 1.0.0 (2026-01-01)\n\n- Old.\n"
    assert any(said in line for line in RELEASE["changelog_problems"](text))


def test_cutting_leaves_an_empty_section_above():
    cut = RELEASE["cut"](CHANGES, "1.1.0", "2026-11-27")
    assert "## Unreleased\n\n## 1.1.0 (2026-11-27)\n\n### Added\n\n- A line.\n\n## 1.0.0" in cut
    assert list(RELEASE["changelog_problems"](cut)) == [
        "CHANGELOG.md: there is nothing under Unreleased"
    ]


class Clone:
    """A repository with one commit, in which ``scripts/release`` may do as it likes."""

    def __init__(self, folder):
        self.root = clone(folder)
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        (self.root / "CHANGELOG.md").write_text(CHANGES)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()
        self.git("tag", "v1.0.0")

    def git(self, *words):
        names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
        self.env = os.environ | dict.fromkeys(names, "tester@example.org")
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=self.env,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Begin")

    def release(self, *words):
        return subprocess.run(
            [ROOT / ".venv/bin/python", "scripts/release", *words],
            cwd=self.root, env=self.env, capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    return Clone(tmp_path / "clone")


@pytest.mark.slow
def test_it_names_all_that_is_wrong_and_changes_nothing(copy):
    (copy.root / "CHANGELOG.md").write_text(CHANGES.replace("### Added\n\n", ""))
    copy.git("switch", "--quiet", "--create", "other")
    done = copy.release("1.0.0")
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [
        "error: the branch is other; a release is made on main",
        "error: the tree is not clean:",
        "error: 1.0.0 is not higher than 1.0.0, which has a tag",
        "error: CHANGELOG.md: under Unreleased a line is in no group: - A line.",
    ]
    for version in ("v1.1.0", "1.1", "01.1.0", "1.1.0-rc1"):
        assert f"{version!r} is no version such as 1.2.3" in copy.release(version).stderr
    assert "0.9.0 is not higher than 1.0.0" in copy.release("0.9.0").stderr
    copy.git("checkout", "--quiet", "--detach")
    assert "none (a detached HEAD)" in copy.release("1.1.0").stderr
    assert not (copy.root / "dist").exists()


@pytest.mark.slow
def test_a_dry_run_changes_nothing(copy):
    done = copy.release("1.1.0", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "1.0.0 becomes 1.1.0" in done.stdout
    assert "### Added\n\n- A line." in done.stdout
    assert copy.git("status", "--porcelain") == ""
    assert copy.git("tag") == "v1.0.0"
    assert not (copy.root / "dist").exists()


@pytest.mark.slow
def test_a_release(copy):
    done = copy.release("1.10.0", "--no-image")
    assert done.returncode == 0, done.stderr
    assert copy.git("tag", "--points-at", "HEAD") == "v1.10.0"
    assert copy.git("status", "--porcelain") == ""
    assert "\n## 1.10.0 (2" in (copy.root / "CHANGELOG.md").read_text()
    assert (
        "app.kubernetes.io/version: 1.10.0"
        in (copy.root / "kubernetes/batcomputer.yaml").read_text()
    )
    dist = copy.root / "dist"
    made = {path.name for path in dist.iterdir()} - {".gitignore"}
    wheel, chart = "batcomputer-1.10.0-py3-none-any.whl", "batcomputer-1.10.0.tgz"
    assert made == {wheel, chart, "batcomputer-1.10.0.cdx.json", "SHA256SUMS"}
    for line in (dist / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
    with tarfile.open(dist / chart) as archive:
        described = archive.extractfile("batcomputer/Chart.yaml").read().decode()
    assert "version: 1.10.0\n" in described
    again = copy.release("1.10.0")
    assert "1.10.0 is not higher than 1.10.0" in again.stderr
    assert "there is nothing under Unreleased" in again.stderr


@pytest.mark.slow
def test_a_build_that_fails_leaves_everything_as_it_was(copy):
    (copy.root / "scripts/sbom").write_text("#!/bin/sh\nexit 3\n")
    copy.commit()
    done = copy.release("1.1.0", "--no-image")
    assert done.returncode == 1
    assert "Nothing was released" in done.stderr
    assert copy.git("status", "--porcelain") == ""
    assert copy.git("tag") == "v1.0.0"
    shutil.rmtree(copy.root / "dist")
