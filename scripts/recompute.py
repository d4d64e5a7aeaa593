"""``python scripts/recompute.py MODELS/NAME/VERSION``: the card's numbers, computed a second time.

Uses only ``cases.csv`` and the figures, and no code of ``training/``, so that it cannot repeat a
mistake made there. Exits with 1 when ``metadata.json`` has other numbers.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score


def main(folder: Path) -> int:
    """Print each number next to that of the metadata."""
    with open(folder / "cases.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    metadata = json.loads((folder / "metadata.json").read_bytes())
    flags = [name.removeprefix("twin:") for name in rows[0] if name.startswith("twin:")]

    def table(prefix: str = "") -> np.ndarray:
        return np.array([[float(row[prefix + flag]) for flag in flags] for row in rows])

    counts, stated = table(), table("twin:")
    found = {
        "crimes": counts.sum(),
        "log_loss": -(counts * np.log(np.clip(stated, 1e-15, 1))).sum() / counts.sum(),
    }
    asked = range(len(flags)) if len(flags) > 2 else [1]
    sizes = counts.sum(axis=1)
    found["auc"] = np.mean([area(stated[:, k], counts[:, k], sizes) for k in asked])
    found["calibration_error"] = np.mean([error(stated[:, k], counts[:, k], sizes) for k in asked])
    large = sizes >= 30
    shares, low, high = (
        counts[large] / sizes[large, None],
        table("low:")[large],
        table("high:")[large],
    )
    held = (low - 1e-7 <= shares) & (shares <= high + 1e-7)
    wrong = 0
    for name, value in found.items():
        said = metadata["metrics"][name]
        agrees = abs(said - value) < 2e-5
        wrong += not agrees
        print(f"{name:20} {value:12.5f}  metadata {said}{'' if agrees else '  DIFFERS'}")
    print(f"{'intervals that hold':20} {held[:, asked].mean():12.4f}")
    for feature in ("force", "crime", "month"):
        values = [row[feature] for row in rows]
        worst(feature, values, (counts, stated), held[:, asked].mean(axis=1), large)
    return int(wrong > 0)


def area(stated: np.ndarray, hits: np.ndarray, sizes: np.ndarray) -> float:
    """Area under the ROC curve, with every crime as a separate case."""
    truth = np.repeat([1, 0], len(stated))
    return float(
        roc_auc_score(truth, np.tile(stated, 2), sample_weight=np.concatenate([hits, sizes - hits]))
    )


def error(stated: np.ndarray, hits: np.ndarray, sizes: np.ndarray) -> float:
    """Expected calibration error in 20 bins of equal volume."""
    order = np.argsort(stated, kind="stable")
    middle = (np.cumsum(sizes[order]) - sizes[order] / 2) / sizes.sum()
    number = np.minimum((middle * 20).astype(int), 19)
    gaps = np.bincount(number, (stated * sizes - hits)[order])
    return float(np.abs(gaps).sum() / sizes.sum())


def worst(
    feature: str,
    labels: list[str],
    answers: tuple[np.ndarray, np.ndarray],
    held: np.ndarray,
    large: np.ndarray,
) -> None:
    """The label with the largest error, and the one whose intervals hold least often."""
    counts, stated = answers
    sizes: Counter[str] = Counter()
    off: dict[str, np.ndarray] = {}
    for label, counted, answer in zip(labels, counts, stated, strict=True):
        sizes[label] += counted.sum()
        off[label] = off.get(label, 0) + answer * counted.sum() - counted
    gaps = {name: np.abs(off[name]).max() / n for name, n in sizes.items() if n >= 10_000}
    name = max(gaps, key=gaps.__getitem__)
    inside: dict[str, list[float]] = {}
    for label, share in zip(np.array(labels)[large], held, strict=True):
        inside.setdefault(label, []).append(share)
    means = {label: float(np.mean(shares)) for label, shares in inside.items() if len(shares) >= 30}
    least = min(means, key=means.__getitem__)
    print(
        f"{feature}: {name} is off by {gaps[name]:.2%}; "
        f"the intervals of {least} hold {means[least]:.1%}"
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
