"""Models of every shape the console must look right with."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from tests import bundles

NAMES = ["arkham", "one", "many", "numbers", "labels", "names"]
LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch " * 3
HEBREW = "שלום עולם"
# Names and labels that a page could take for its own words, for properties or for markup.
TAKEN = ["action", "columns", "csrfmiddlewaretoken", "elements", "flag", "name", "rows", "vary"]
MARKUP = ['say "hi"', "<script>alert(1)</script>", "a&b=c", "🦇 bat"]
LABELS = OrderedDict(
    {f"District {n:03d}": n for n in range(298)} | {LONG.strip(): 298, HEBREW: 299}
)


def install_all(root: Path) -> None:
    """Write the odd models under ``root``, and one that cannot be loaded."""
    _install(root, "one", {"signal": {"off": 0, "on": 1}}, ["dark", "light"])
    many = OrderedDict(
        (f"feature_{n}", {f"Option {label}": label for label in range(2 + n)} if n % 3 else 0)
        for n in range(25)
    )
    groups = {name: {"group": f"Bank {n // 9 + 1}"} for n, name in enumerate(many)}
    _install(root, "many", many, ["low", "high"], {"features": groups})
    numbers = {
        "height": {"unit": "cm", "minimum": 50, "maximum": 250},
        "age": {"minimum": 0, "maximum": 120, "integer": True, "help": "In whole years."},
    }
    _install(
        root, "numbers", {"height": 0, "age": 0}, ["risk"], {"features": numbers},
        DummyRegressor(strategy="constant", constant=[12.5]),
    )  # fmt: skip
    flags = [f"outcome {n}" for n in range(6)] + [LONG.strip()]
    _install(root, "labels", OrderedDict(district=LABELS, weather={"fog": 0, "rain": 1}), flags)

    taken = OrderedDict((name, {label: n for n, label in enumerate(MARKUP)}) for name in TAKEN)
    _install(root, "names", taken, ["<i>one</i>", 'two "quoted" \N{BAT}'])
    (bundles.install(root, "broken") / "flags.pkl").write_bytes(b"?")


def _install(
    root: Path,
    model: str,
    lookup: Any,
    flags: list[str],
    metadata: Any = None,
    estimator: Any = None,
) -> None:
    rows = np.zeros((len(flags), len(lookup)))
    estimator = (estimator or DummyClassifier(strategy="prior")).fit(rows, range(len(flags)))
    title = {"title": model.capitalize()}
    bundles.install(
        root,
        model,
        estimator=estimator,
        lookup=lookup,
        flags=flags,
        metadata=title | (metadata or {}),
    )
