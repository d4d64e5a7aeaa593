"""A version's own answers to cases."""

from predictor.artifacts.errors import InvalidInput, ScoringError
from predictor.artifacts.version import ModelVersion

from .cases import TWIN, Cases, Numbers, header_of
from .errors import EvidenceError


def answers_of(model: ModelVersion, cases: Cases) -> list[Numbers]:
    """What ``model`` answers to every row of ``cases``.

    Raises EvidenceError when it refuses a row or cannot score it.
    """
    features = {feature.name: feature for feature in model.contract.features}
    rows = []
    for number, row in enumerate(cases.rows, 2):
        pairs = zip(cases.features, row, strict=True)
        try:
            item = {name: features[name].value_from_text(text) for name, text in pairs}
            rows.append(model.encoder.encode(item))
        except (KeyError, InvalidInput) as error:
            raise EvidenceError(
                f"{model.name} {model.version} does not take row {number} of the cases: {error}"
            ) from error
    try:
        return [tuple(map(float, scores)) for scores in model.score(rows)]
    except ScoringError as error:
        raise EvidenceError(f"{model.name} {model.version} cannot be asked: {error}") from error


def names_in(data: bytes) -> tuple[list[str], list[str]]:
    """The features and flags, from the header of cases that hold a twin's answers.

    Raises EvidenceError when they hold none: then only the model has its features and flags.
    """
    header = header_of(data)
    flags = [name.removeprefix(f"{TWIN}:") for name in header if name.startswith(f"{TWIN}:")]
    if not flags:
        raise EvidenceError(
            f"the cases hold no answers of a model (columns {TWIN}:flag); name the model too"
        )
    scored = {name for name in header if name.partition(":")[2] in flags}
    reserved = {*flags, *scored, "outcome", "weight", "cluster", "period"}
    return [name for name in header if name not in reserved], flags
