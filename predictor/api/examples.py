"""Examples in the OpenAPI document: all valid, each with the answer that the model gives."""

from collections.abc import Mapping
from typing import Any

from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import InvalidInput, ScoringError
from predictor.artifacts.inputs import RowEncoder
from predictor.artifacts.scores import Scores
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion
from predictor.artifacts.wrong_values import WrongValueError
from predictor.http.errors import explain
from predictor.spreadsheets.cells import verbatim_lines

Item = dict[str, Any]
Examples = dict[str, dict[str, Any]]

_MOST = 5  # of a version's named cases
_MOST_MODELS = 100
_scored: dict[str, Scores] = {}  # by the version's fingerprint


def cases(contract: Contract) -> dict[str, Item]:
    """Named cases: the version's own, else one of the most frequent values in training."""
    if contract.metadata.get("examples"):
        return dict(list(contract.examples.items())[:_MOST])
    return {"a usual case": {f.name: _commonest(contract, f) for f in contract.features}}


def _commonest(contract: Contract, feature: Feature) -> Any:
    """The most frequent value in the training data, else the feature's example."""
    described = contract.metadata.get("baseline", {}).get(feature.name)
    shares = described if isinstance(described, Mapping) else {}
    counted = {text: share for text, share in shares.items() if isinstance(share, int | float)}
    if not counted:
        return feature.example()
    value = feature.value_from_text(max(counted, key=counted.__getitem__))
    try:
        feature.reader()(value)
    except WrongValueError:
        return feature.example()
    return value


def questions(contract: Contract) -> Examples:
    """JSON bodies: each case, and an array of two."""
    named = cases(contract)
    first, *others = named.values()
    one = {f"case-{n}": _example(name, case) for n, (name, case) in enumerate(named.items(), 1)}
    return one | {"several": _example("several cases", [first, *(others or [first])])}


def questions_csv(contract: Contract) -> str:
    """A CSV body of every case."""
    return _file(contract, [[]] * _MOST, [])


def answers(model: ModelVersion) -> tuple[Examples, str]:
    """The responses to those bodies in JSON and CSV; empty where the model has no answer now."""
    contract, scores = model.contract, _scores(model)
    if not scores:
        return {}, ""
    found = [dict(zip(contract.flag_names, one, strict=True)) for one in scores]
    shown = iter([*found, [found[0], *(found[1:] or found)]])
    bodies = {key: _example(asked["summary"], next(shown))
              for key, asked in questions(contract).items()}  # fmt: skip
    return bodies, _file(contract, scores, contract.flag_names)


def _scores(model: ModelVersion) -> Scores:
    """The scores of the cases; they are cached, since a model may be slow."""
    if model.sha256 not in _scored:
        if len(_scored) >= _MOST_MODELS:
            _scored.clear()
        try:
            rows = [model.encoder.encode(case) for case in cases(model.contract).values()]
            _scored[model.sha256] = model.score(rows)
        except (InvalidInput, ScoringError):  # the model's bounds may leave no valid value
            return []
    return _scored[model.sha256]


def _file(contract: Contract, added: Any, names: list[str]) -> str:
    """The cases as a CSV, with the ``added`` values in columns called ``names``."""
    rows = [
        [*(text_of(case.get(feature.name)) for feature in contract.features), *more]
        for case, more in zip(cases(contract).values(), added, strict=False)
    ]
    header = [*(feature.name for feature in contract.features), *names]
    return verbatim_lines([header, *rows]).decode()


def refusal(contract: Contract) -> dict[str, Any]:
    """The problem document for a case whose first field is misspelt."""
    case = dict(next(iter(cases(contract).values())))
    name = contract.features[0].name
    wrong = f"{name}_"
    while wrong in case:
        wrong += "_"
    case[wrong] = case.pop(name, None)
    try:
        RowEncoder(contract).encode(case)
    except InvalidInput as invalid:
        problem = explain(invalid)
        assert problem is not None  # noqa: S101 - for mypy
        return problem.body
    raise AssertionError("an unknown field is always refused")


def _example(summary: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}
