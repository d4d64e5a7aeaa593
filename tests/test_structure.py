"""The rooms of the server: where a new reader looks for them, and importing only downwards."""

import re
import tomllib
from itertools import permutations
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
MODULES_ON_TOP = {
    "apps", "checks", "concurrency", "urls",
}  # fmt: skip


def storeys():
    (layers,) = [c["layers"] for c in CONTRACTS["contracts"] if c.get("containers")]
    return [{room.strip() for room in layer.split("|")} for layer in layers]


def test_the_map_in_the_documentation_is_the_contract():
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.partition("| rooms of `predictor/` |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert [set(re.findall(r"`(\w+)/?`", row)) for row in rows] == storeys()


def test_the_top_of_the_server_holds_few_modules():
    found = {path.stem for path in (ROOT / "predictor").glob("*.py")} - {"__init__"}
    assert found == MODULES_ON_TOP


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("batcomputer", "batclient", "predictor", "training")


def arrows(graph, rooms):
    return {
        (own, other)
        for own, other in permutations(rooms, 2)
        if graph.direct_import_exists(importer=own, imported=other, as_packages=True)
    }


def test_no_two_packages_import_each_other(graph):
    for package in sorted(module for module in graph.modules if graph.find_children(module)):
        found = circle(arrows(graph, graph.find_children(package)))
        assert not found, f"{package}: {found}"


def test_few_rooms_import_each_other(graph):
    """Each import between rooms that had none is one more to keep in mind: is it worth that?"""
    rooms = {"batcomputer", "batclient", "training", *graph.find_children("predictor")}
    assert len(arrows(graph, rooms - {"predictor.migrations"})) <= 80


def circle(arrows):
    """Rooms of which each is reached from itself."""
    reached = dict.fromkeys({own for own, _ in arrows})
    for own in reached:
        found, seen = [own], set()
        while found:
            here = found.pop()
            new = {other for one, other in arrows if one == here} - seen
            seen |= new
            found += new
        reached[own] = own in seen
    return sorted(own for own, is_in_circle in reached.items() if is_in_circle)
