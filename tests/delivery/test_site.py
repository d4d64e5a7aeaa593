"""The documentation as a site: built strictly, searchable, and asking no other site."""

import json
import re
import subprocess

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.slow
LOADED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["']?([^"'\s>]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [ROOT / "scripts/docs", "--site-dir", folder],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode and re.search("error sending request|dns error|timed out", done.stderr):
        pytest.skip("no package index is reachable")
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there(site):
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    built = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    assert pages <= built


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = [
        address for path in site.rglob("*.html") for address in LOADED.findall(path.read_text())
    ]
    assert len(loaded) > 100
    assert [address for address in loaded if re.match(r"(https?:)?//", address)] == []
    for path in site.rglob("*.css"):
        assert not re.search(r"""url\(["']?(https?:)?//|@import""", path.read_text()), path
    mermaid = re.compile(r"mermaid|cdnjs|unpkg|jsdelivr")
    assert [path for path in site.rglob("*.js") if mermaid.search(path.read_text())] == []


def test_it_can_be_searched(site):
    found = json.loads((site / "search/search_index.json").read_text())["docs"]
    assert any(
        each["location"].startswith("log.html") and "spool" in each["text"] for each in found
    )


def test_links_out_of_the_documentation_are_text(site):
    page = (site / "operations.html").read_text()
    assert "CHANGELOG.md" in page
    assert 'href="../' not in page
    assert "sh run" not in page
