"""Write the files that are generated from the chart and the settings.

These are the values table of its README, the settings in its schema (those of .env.sample),
kubernetes/, monitoring/'s rules and dashboard, and azure/rules.json, the rules in Azure Monitor.
``python helm/render.py`` writes them, ``python helm/render.py --check`` lists those out of date.
Needs requirements-dev.txt (the helm-python-sdk package includes Helm).
"""

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helm import azure_rules, dashboard  # noqa: E402 - needs the path set above

CHART = ROOT / "helm/batcomputer"
PLAIN = ROOT / "kubernetes"
MARK = "<!-- values: written by helm/render.py -->"
HEADER = "# Rendered from helm/batcomputer with helm/kubernetes-values.yaml by helm/render.py.\n"


def documents(values: Mapping[str, Any], name: str, namespace: str) -> list[dict[str, Any]]:
    """The chart's objects for these values, in the order of the template files."""
    rendered = Chart.load(CHART).render(dict(values), name=name, namespace=namespace)
    return [
        document
        for path, text in sorted(rendered.items())
        if path.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def plain_manifests() -> dict[Path, str]:
    """The chart as files for kubectl: the server's objects, and the migration to run first."""
    values = yaml.safe_load((ROOT / "helm/kubernetes-values.yaml").read_text())
    files: dict[str, list[dict[str, Any]]] = {"batcomputer.yaml": [], "migrate.yaml": []}
    for document in documents(values, name="batcomputer", namespace="batcomputer"):
        hook = document["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        if hook != "test":
            file = "migrate.yaml" if "pre-install" in hook else "batcomputer.yaml"
            files[file].append(without_helm(document))
    return {
        PLAIN / file: HEADER + yaml.safe_dump_all(content, sort_keys=False, width=100)
        for file, content in files.items()
    }


def without_helm(document: dict[str, Any]) -> dict[str, Any]:
    """The object without the fields that only Helm understands."""
    metadata = document["metadata"]
    for key in ("labels", "annotations"):
        metadata[key] = {
            name: value
            for name, value in metadata.get(key, {}).items()
            if not name.startswith("helm.sh/") and value != "Helm"
        }
        if not metadata[key]:
            del metadata[key]
    return document


def readme() -> str:
    """The chart's README with the table of the present values.yaml."""
    before, _, _ = (CHART / "README.md").read_text().partition(MARK)
    rows = [
        f"| `{name}` | {meaning} | `{default}` |" for name, meaning, default in rows_of_values()
    ]
    return "\n".join(
        [before + MARK, "", "| value | meaning | default |", "|---|---|---|", *rows, ""]
    )


def schema() -> str:
    """The chart's schema with the settings of the present .env.sample."""
    sample = (ROOT / ".env.sample").read_text()
    names = sorted(re.findall(r"^#([A-Z_]+)=", sample, re.MULTILINE))
    listed = textwrap.indent(textwrap.fill(", ".join(map(json.dumps, names)), 86), " " * 8)
    return re.sub(
        r'("Those of \.env\.sample", "enum": \[\n).*?(?=\n *\]\})',
        lambda found: found[1] + listed,
        (CHART / "values.schema.json").read_text(),
        flags=re.DOTALL,
    )


def written() -> dict[Path, str]:
    """Every file that this program writes, with its content."""
    return {
        CHART / "README.md": readme(),
        CHART / "values.schema.json": schema(),
        dashboard.FOLDER / "dashboard.json": dashboard.dashboard(),
        CHART / "files/dashboard.json": dashboard.dashboard(),
        CHART / "files/alerts.yaml": dashboard.ALERTS.read_text(),  # Helm reads only the chart
        azure_rules.TEMPLATE: azure_rules.template(),
        **plain_manifests(),
    }


def rows_of_values() -> Iterator[tuple[str, str, str]]:
    """(dotted name, meaning, default) of every value that has a comment above it."""
    text = (CHART / "values.yaml").read_text()
    values = yaml.safe_load(text)
    path: list[tuple[int, str]] = []
    meaning = ""
    for line in text.partition("\n\n")[2].splitlines():
        if comment := re.match(r" *# (.*)", line):
            meaning = comment[1].replace("|", "\\|")
        elif key := re.match(r"( *)(\w+):", line):
            path = [(indent, name) for indent, name in path if indent < len(key[1])]
            path.append((len(key[1]), key[2]))
            if meaning:
                names = [name for _, name in path]
                yield ".".join(names), meaning, _shown(_at(values, names))
            meaning = ""


def _at(values: Any, names: list[str]) -> Any:
    for name in names:
        values = values[name]
    return values


def _shown(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]


def main() -> int:
    """Write the files, or with ``--check`` list those that differ."""
    stale = [
        (path, text)
        for path, text in written().items()
        if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is out of date: run python helm/render.py")
        else:
            path.write_text(text)
    return int("--check" in sys.argv and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
