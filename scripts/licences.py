"""The licence of every package named on standard input (a requirements.txt), as a page."""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def licence(package: Distribution) -> str:
    """As the package itself says it: an SPDX expression, a classifier or the first line of text."""
    said = package.metadata
    if expression := said.get("License-Expression"):
        return expression
    classifiers = [c for c in said.get_all("Classifier", []) if c.startswith("License ::")]
    if classifiers:
        return ", ".join(c.rpartition(" :: ")[2] for c in classifiers)
    return (said.get("License") or "not said").splitlines()[0]


def page(requirements: str) -> str:
    """The list of licences of the packages that ``requirements`` pins."""
    rows = []
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", requirements, re.MULTILINE):
        try:
            rows.append(f"| {name} | {licence(distribution(name))} |")
        except PackageNotFoundError:  # pinned for another platform
            rows.append(f"| {name} | not installed on the platform this list was made on |")
    head = "# Licences\n\nWhat the service is made of; `scripts/sbom` writes this page.\n"
    return "\n".join([head, "| package | licence |", "|---|---|", *rows])


if __name__ == "__main__":
    print(page(sys.stdin.read()))
