"""Write the table of estimators in ``docs/pickles.md``: which load, and why any does not.

    .venv/bin/python -m scripts.estimators

Every classifier and regressor of scikit-learn, and the combinations of ``tests/artifacts/zoo.py``,
is fitted, pickled, examined as a server would, and its scores compared with its own.
"""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn

from predictor.artifacts import version
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.examination import examine
from predictor.artifacts.files import write_version
from tests.artifacts import zoo

PAGE = Path(__file__).resolve().parent.parent / "docs" / "pickles.md"
BEGIN, END = "<!-- estimators: begin -->", "<!-- estimators: end -->"
_KINDS = {"probability": "probabilities", "hard": "1 or 0", "value": "values"}


def row(name: str, make: Callable[[], zoo.Animal], root: Path, number: int) -> str:
    """One line of the table."""
    try:
        animal = make()
    except (TypeError, ValueError) as error:
        return f"| {name} | | not tried: {str(error).partition(chr(10))[0]} |"
    folder = root / "zoo" / str(number)
    write_version(folder, animal.estimator, animal.lookup, animal.flags, animal.metadata)
    try:
        loaded = version.load_version(folder)
    except ArtifactError as error:
        return f"| {name} | | no: {error} |"
    scores = loaded.score([loaded.encoder.encode(item) for item in animal.items])
    apart = float(np.abs(scores - animal.scores).max())
    same = "yes" if apart <= 1e-12 else f"no: {apart:.1e} apart"
    return f"| {name} | {len(animal.flags)} {_KINDS[loaded.scorer.kind]} | {same} |"


def table() -> str:
    """The table, as it is generated here and now."""
    head = ["| estimator | scores | loads, with its own scores |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = [lambda name=name: zoo.by_itself(name) for name in zoo.names()]
        named = list(zip(zoo.names(), alone, strict=True)) + [
            (name, lambda name=name, make=make: zoo.made(name, make))
            for name, make in (zoo.COMBINATIONS | zoo.REFUSED).items()
        ]
        rows = [row(name, make, Path(folder), i) for i, (name, make) in enumerate(named)]
    return "\n".join([f"Made with scikit-learn {sklearn.__version__}.", "", *head, *rows])


def main() -> None:
    """Replace the table in the page."""
    version.examine_apart = examine  # our own models need no process of their own
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    made = table()
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}")
    print(f"{PAGE.name}: {made.count('| yes |')} load, {made.count('| no: ')} do not")


if __name__ == "__main__":
    main()
