"""Write the table of estimators in ``docs/pickles.md``: which load, and why others do not.

    .venv/bin/python -m scripts.estimators

Fits and pickles every classifier and regressor of scikit-learn, and the combinations of
``tests/artifacts/zoo.py``, examines each as a server would, and compares the scores with the
estimator's own. Does the same with the models of ``tests/artifacts/plain_zoo.py``, which are only
three pickles each.
"""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn

from predictor.artifacts import version
from predictor.artifacts.errors import ArtifactError, InvalidInput, ScoringError
from predictor.artifacts.examination import examine
from predictor.artifacts.files import write_version
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_text import found_out
from tests.artifacts import plain_zoo, zoo

PAGE = Path(__file__).resolve().parent.parent / "docs" / "pickles.md"
BEGIN, END = "<!-- estimators: begin -->", "<!-- estimators: end -->"
PLAIN_BEGIN, PLAIN_END = "<!-- plain models: begin -->", "<!-- plain models: end -->"
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
    """The table, generated with the installed versions."""
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


def plain_row(name: str, model: plain_zoo.Model, folder: Path) -> str:
    """One line of the table of models that are only three pickles."""
    plain_zoo.write(model, folder)
    policy = Policy(modules=frozenset(model.modules))
    try:
        loaded = version.load_version(folder, policy)
        scores = loaded.score([loaded.encoder.encode(item) for item in model.items])
    except (ArtifactError, InvalidInput, ScoringError) as error:
        return f"| {name} | | no: {error} |"
    own = model.answers()
    same = np.allclose(scores, own, rtol=1e-9, atol=1e-12)
    return f"| {name} | {'; '.join(found_out(loaded.report))} | {'yes' if same else 'no'} |"


def plain_table() -> str:
    """The table of the models of ``tests/artifacts/plain_zoo.py``, each with its result."""
    head = ["| model | found out | its own answers |", "|---|---|---|"]
    made = plain_zoo.MODELS | {name: make for name, (_, make) in plain_zoo.LIBRARIES.items()}
    rows = []
    with tempfile.TemporaryDirectory() as root, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (name, make) in enumerate(made.items()):
            try:
                rows.append(plain_row(name, make(), Path(root) / "plain" / str(number)))
            except ImportError:
                rows.append(f"| {name} | | not tried: the library is not installed |")
    return "\n".join([*head, *rows])


def put(page: str, begin: str, end: str, made: str) -> str:
    """``page`` with the text ``made`` between its two marks."""
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{made}\n\n{end}{rest.partition(end)[2]}"


def main() -> None:
    """Replace the tables in the page."""
    version.examine_apart = examine  # our own models need no separate process
    made, plain = table(), plain_table()
    page = put(PAGE.read_text(), BEGIN, END, made)
    PAGE.write_text(put(page, PLAIN_BEGIN, PLAIN_END, plain))
    for what, rows in (("estimators", made), ("plain models", plain)):
        print(f"{what}: {rows.count('| yes |')} load, {rows.count('| no')} do not")


if __name__ == "__main__":
    main()
