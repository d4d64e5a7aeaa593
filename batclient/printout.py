"""The content of a printout: one answer in words for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.utils.formats import get_format
from django.utils.translation import gettext as _

from batclient.sentences import value_in_language
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Flag
from predictor.artifacts.scores import ScoreKind
from predictor.artifacts.support import Support
from predictor.artifacts.version import ModelVersion
from predictor.predictions.predict import Answer

MAX_DIALS = 4


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One selector and its value."""

    name: str
    title: str
    shown: str


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One flag: its score, the score in words, and the length of its bar."""

    flag: str
    title: str
    score: float
    text: str
    percent: float | None  # 0 to 100; None if a score is not a share
    range: str = ""  # the share's interval, if the model has a support table


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A present or earlier answer, from which a printout is made."""

    id: str
    moment: datetime  # in UTC
    version: str
    case: list[CaseLine]
    flags: Sequence[Flag]
    scores: Mapping[str, float]
    support: Support | None
    query: str


@dataclass(frozen=True, slots=True)
class Printout:
    """One answer, ready for paper and for JSON."""

    id: str
    time: str
    model: str
    title: str
    version: str
    case: list[CaseLine]
    verdicts: list[VerdictLine]  # the highest score first
    headline: str
    odds: str
    tenths: int | None  # number of lit bats, of ten
    data: str
    support: str  # the number of cases behind the answer, if the model has a support table
    small_print: str
    query: str


def blank(model: ModelVersion) -> Printout:
    """An empty printout, as long as an answer."""
    contract = model.contract
    percent = None if model.scorer.kind == "value" else 0.0
    return Printout(
        id="",
        time="",
        model=model.name,
        title=model.title,
        version=model.version,
        case=[CaseLine(f.name, f.title, "") for f in contract.features],
        verdicts=[VerdictLine(f.name, f.title, 0.0, "", percent) for f in contract.flags],
        headline=_("No case yet"),
        odds="",
        tenths=None,
        data=data_date(model),
        support="",
        small_print=small_print(model),
        query="",
    )


def print_answer(model: ModelVersion, item: Mapping[str, Any], answer: Answer) -> Printout:
    """``answer`` to ``item`` as a printout."""
    features = model.contract.features
    given = GivenAnswer(
        id=str(answer.id),
        moment=datetime.now(UTC),
        version=model.version,
        case=[CaseLine(f.name, f.title, value_in_language(f, item.get(f.name))) for f in features],
        flags=model.contract.flags,
        scores=answer.scores,
        support=model.support_of(answer.row),
        query=address_of(item),
    )
    return print_given(model, given)


def print_given(model: ModelVersion, given: GivenAnswer) -> Printout:
    """``given`` as a printout; the answer may be of another version of the model."""
    kind = model.scorer.kind
    verdicts = [
        replace(line, range=_range(*given.support.interval[line.flag])) if given.support else line
        for line in verdict_lines(given.flags, kind, given.scores)
    ]
    return Printout(
        id=given.id,
        time=given.moment.strftime(_("%Y-%m-%d %H:%M UTC")),
        model=model.name,
        title=model.title,
        version=given.version,
        case=given.case,
        verdicts=verdicts,
        headline=verdicts[0].title,
        odds=odds_in_words(verdicts[0].score, kind) if kind != "value" else verdicts[0].text,
        tenths=round(verdicts[0].score * 10) if kind == "probability" else None,
        data=data_date(model),
        support="" if given.support is None else in_figures(given.support.n, ","),
        small_print=small_print(model),
        query=given.query,
    )


def verdict_lines(
    flags: Sequence[Flag], kind: ScoreKind, scores: Mapping[str, float]
) -> list[VerdictLine]:
    """A line per flag, the highest score first; equal scores stay in the order of the flags."""
    lines = [
        VerdictLine(
            flag.name,
            flag.title,
            scores[flag.name],
            score_in_words(scores[flag.name], kind, flag.unit),
            None if kind == "value" else round(min(max(scores[flag.name], 0), 1) * 100, 2),
        )
        for flag in flags
    ]
    return sorted(lines, key=lambda line: -line.score)


def _range(low: float, high: float) -> str:
    ends = {"low": in_figures(low * 100, ".1f"), "high": in_figures(high * 100, ".1f")}
    return _("95 %% interval: %(low)s to %(high)s %%") % ends


def score_in_words(score: float, kind: ScoreKind, unit: str = "") -> str:
    """``0.9431`` → ``94.3 %``; for a yes-or-no model ``yes``; for a regressor the number itself."""
    if kind == "value":
        return f"{in_figures(score, ',.6g')} {unit}".rstrip()
    if kind == "hard":
        return _("yes") if score >= 0.5 else _("no")
    if 0 < score < 0.001:
        return f"< {in_figures(0.1, '.1f')} %"
    if 0.999 < score < 1:
        return f"> {in_figures(99.9, '.1f')} %"
    return f"{in_figures(score * 100, '.1f')} %"


def in_figures(number: float, form: str) -> str:
    """``number`` in ``form``, with the separators of the page's language."""
    own = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return "".join(str(own.get(sign, sign)) for sign in format(number, form))


def odds_in_words(score: float, kind: ScoreKind) -> str:
    """``0.94`` → ``9 in 10``: odds as people say them, out of 10, or of 100 near the ends."""
    if kind != "probability":
        return score_in_words(score, kind)
    if score >= 0.995:
        return _("more than 99 in 100")
    if score < 0.005:
        return _("fewer than 1 in 100")
    if 0.1 <= score < 0.95:
        return _("%(part)d in %(whole)d") % {"part": round(score * 10), "whole": 10}
    return _("%(part)d in %(whole)d") % {"part": round(score * 100), "whole": 100}


def data_date(model: ModelVersion) -> str:
    """The period of the training data, from the metadata; empty if unknown."""
    return _text(model.metadata.get("data", {}).get("period"))


def small_print(model: ModelVersion) -> str:
    """The line of the model card that belongs on every printout."""
    return _text(model.metadata.get("small_print")) or _text(model.metadata.get("description"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
