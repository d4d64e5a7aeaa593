"""Models of all the shapes that the console must show well."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from tests import bundles

NAMES = ["arkham", "one", "many", "numbers", "labels", "names", "kinds"]
LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch " * 3
HEBREW = "שלום עולם"
# Names and labels that a page could confuse with its own words, with properties or with markup.
TAKEN = ["action", "columns", "csrfmiddlewaretoken", "elements", "flag", "name", "rows", "vary"]
MARKUP = ['say "hi"', "<script>alert(1)</script>", "a&b=c", "🦇 bat"]
NUMBERS = [0.0] * 3  # a list of three
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
    kinds: dict[str, Any] = {
        "place": [f"Dock {n}" for n in range(20)], "open": ["s", "m"], "level": 0.0, "count": 0,
        "member": False, "note": "", "day": "", "at": "", "pixels": NUMBERS,
    }  # fmt: skip
    described = {
        "place": {"missing": True},
        "open": {"open": True, "passed_as": "label"},
        "level": {"missing": True},
        "count": {"type": "integer", "minimum": 0, "maximum": 9, "unit": "pieces"},
        "note": {"max_length": 100},
        "day": {"type": "date", "minimum": "2026-01-01", "maximum": "2026-12-31"},
        "at": {"type": "date-time"},
    }
    _install(root, "kinds", kinds, ["no", "yes"], {"features": described})
    (bundles.install(root, "broken") / "flags.pkl").write_bytes(b"?")


def _install(
    root: Path,
    model: str,
    lookup: Any,
    flags: list[str],
    metadata: Any = None,
    estimator: Any = None,
) -> None:
    width = sum(len(values) if values == NUMBERS else 1 for values in lookup.values())
    rows = np.zeros((len(flags), width))
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
