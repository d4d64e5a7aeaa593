"""The explanation of an answer in admin: its ladder and its Shapley values."""

from dataclasses import dataclass, field

from predictor.admin.titles import flag_title
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.version import ModelVersion
from predictor.models import Prediction
from predictor.predictions.attribution import Attribution, Unexplained, attribute, is_exact
from predictor.serving.current import serving
from predictor.serving.errors import ModelUnavailable, UnknownModel
from predictor.trials.shadow import encode_logged

_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class WhyStep:
    """One selector: its value, the score after it is set, and its contribution."""

    title: str
    value: str
    score: str
    share: float | None  # filled part of the bar; None if a score is not a probability
    change: str
    tested: bool = True


@dataclass(frozen=True)
class WhySheet:
    """The content of the sheet: steps, a ``problem``, or, unless ``asked``, a button to ask."""

    flag: str = ""
    ladder: list[WhyStep] = field(default_factory=list)
    parts: list[WhyStep] = field(default_factory=list)
    base: str = ""
    answer: str = ""
    exact: bool = True
    pairs: int = 0
    reference: str = ""
    order_from: str = ""
    problem: str = ""
    asked: bool = True


def why_sheet(row: Prediction, *, wanted: bool) -> WhySheet:
    """What moved the answer of the log's ``row``; computed by an estimator only if ``wanted``.

    This needs the same files that answered, and a case whose inputs the log keeps unchanged.
    """
    try:
        model = serving().active(row.model)
        if model.sha256 != row.sha256:
            return WhySheet(problem=f"{row.version} does not answer now, and only it could say.")
        asked = encode_logged(model, row.inputs)
        if not (wanted or is_exact(model)):
            return WhySheet(asked=False)
        return _explained(model, row, attribute(model, asked))
    except (ModelUnavailable, UnknownModel, Unexplained) as error:
        return WhySheet(problem=f"It cannot be said: {error}.")
    except InvalidInput as error:
        return WhySheet(problem=f"The log does not keep what was asked as it was: {error}.")


def _explained(model: ModelVersion, row: Prediction, found: Attribution) -> WhySheet:
    flag = row.top_flag
    return WhySheet(
        flag=flag_title(row.model, flag),
        ladder=_ladder(model, row, found),
        parts=_parts(model, row, found),
        base=_figures(model, found.base[flag]),
        answer=_figures(model, found.ladder[-1].scores[flag]),
        exact=found.exact,
        pairs=found.pairs,
        reference=found.reference,
        order_from=found.order_from,
    )


def _ladder(model: ModelVersion, row: Prediction, found: Attribution) -> list[WhyStep]:
    before, steps = 0.0, []
    for rung in found.ladder:
        score, error = rung.scores[row.top_flag], _error(rung.within[row.top_flag])
        named = _named(model, row, rung.feature) if rung.feature else ("The average answer", "")
        share = None if model.scorer.kind == "value" else max(0.0, min(1.0, score))
        change = _signed(model, score - before) if rung.feature else ""
        steps.append(
            WhyStep(*named, f"{_figures(model, score)}{error}", share, change, rung.tested)
        )
        before = score
    return steps


def _parts(model: ModelVersion, row: Prediction, found: Attribution) -> list[WhyStep]:
    """The contributions, the greatest first."""
    sizes = {name: scores[row.top_flag] for name, scores in found.parts.items()}
    steps = []
    for name, size in sorted(sizes.items(), key=lambda part: -abs(part[1])):
        error = _error(found.within.get(name, {}).get(row.top_flag, 0.0))
        steps.append(WhyStep(*_named(model, row, name), "", None, f"{_signed(model, size)}{error}"))
    return steps


def _named(model: ModelVersion, row: Prediction, name: str) -> tuple[str, str]:
    """The selector's title and value."""
    feature = next(f for f in model.contract.features if f.name == name)
    return feature.title, feature.with_unit(row.inputs.get(name))


def _figures(model: ModelVersion, score: float) -> str:
    """Probabilities with four places, so that a column of them can be added up."""
    return f"{score:.4g}" if model.scorer.kind == "value" else f"{score:.4f}"


def _signed(model: ModelVersion, change: float) -> str:
    return f"{_MINUS if change < 0 else '+'}{_figures(model, abs(change))}"


def _error(within: float) -> str:
    return f" ± {within:.2g}" if within else ""
