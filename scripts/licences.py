"""Write the licence of every package named on standard input (a requirements.txt) into a page.

``python scripts/licences.py docs/licences.md <requirements.txt``. A package pinned for another
platform or Python is not installed here, so it keeps the licence that the page already names.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

HEAD = """# Licences

What the service is made of; `scripts/sbom` writes this page.

| package | licence |
|---|---|
"""


def licence(package: Distribution) -> str:
    """The licence from the package: an SPDX expression, a classifier or the text's first line."""
    said = package.metadata
    if expression := said.get("License-Expression"):
        return expression
    classifiers = [c for c in said.get_all("Classifier", []) if c.startswith("License ::")]
    if classifiers:
        return ", ".join(c.rpartition(" :: ")[2] for c in classifiers)
    return (said.get("License") or "not said").splitlines()[0]


def page(requirements: str, before: str) -> str:
    """The list of licences of the packages that ``requirements`` pins; ``before``: the old page."""
    known = dict(re.findall(r"^\| (\S+) \| (.+) \|$", before, re.MULTILINE))
    rows = []
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", requirements, re.MULTILINE):
        try:
            said = licence(distribution(name))
        except PackageNotFoundError:
            said = known.get(name, "not installed where this list was made")
        rows.append(f"| {name} | {said} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(page(sys.stdin.read(), file.read_text() if file.exists() else ""))
