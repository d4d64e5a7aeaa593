"""What would change if another version answered, before it is activated."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from predictor.artifacts.contract import Contract
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.figures import figures
from predictor.artifacts.inputs import Row
from predictor.artifacts.scores import answers
from predictor.artifacts.texts import text_of
from predictor.artifacts.untrusted import sentence
from predictor.artifacts.version import ModelVersion
from predictor.concurrency import run_in_thread
from predictor.models import Prediction
from predictor.serving.shared_inputs import Item, SharedInputs

MOST = 10  # inputs shown, those that change most
_MOST_SHOWN = 60  # characters of one value
REPLAYED = 1_000  # last logged predictions to score again


@dataclass(frozen=True)
class Renamed:
    """Names that only one of the two versions has."""

    what: str
    added: list[str]
    removed: list[str]


@dataclass(frozen=True)
class Change:
    """One input, and the flag whose score changes most."""

    inputs: Item
    flag: str
    before: float
    after: float
    case: str = ""  # the input on one line: long texts and lists are cut

    @property
    def scores(self) -> tuple[str, str]:
        """Before and after, as people read them."""
        return figures(self.before), figures(self.after)


@dataclass(frozen=True)
class ScoreChanges:
    """How much the scores of the shared flags change over many inputs."""

    inputs: int  # answered by both versions
    unasked: int  # not answered by the active version (any more)
    refused: int  # answered by the active version only
    mean: float  # of the absolute changes
    largest: float
    other_top: int  # inputs whose highest score is another flag's
    most: list[Change]

    @property
    def sizes(self) -> tuple[str, str]:
        """The mean and the largest change, as people read them."""
        return figures(self.mean), figures(self.largest)


@dataclass(frozen=True)
class Comparison:
    """A candidate compared with the active version."""

    active: ModelVersion
    candidate: ModelVersion
    renamed: list[Renamed]  # only those with a difference
    held: list[str]  # features with a fixed value: texts, lists, those of one version only
    cells: int  # combinations of shared values; sampled if many
    shared: ScoreChanges
    replay: ScoreChanges


def logged_inputs(model: str, count: int = REPLAYED) -> list[Item]:
    """The inputs of the last logged predictions, newest first."""
    rows = Prediction.objects.filter(model=model).order_by("-id")
    return list(rows.values_list("inputs", flat=True)[:count])


def compare_versions(
    active: ModelVersion, candidate: ModelVersion, logged: Sequence[Item]
) -> Comparison:
    """Have both versions score every combination of shared values, and the ``logged`` inputs.

    Raises ScoringError when either gives no usable score.
    """
    inputs = SharedInputs(active.contract, candidate.contract)
    # in the model's order: PostgreSQL's JSON does not keep it
    names = [feature.name for feature in active.contract.features]
    asked = [{name: item[name] for name in [*names, *item] if name in item} for item in logged]
    return Comparison(
        active,
        candidate,
        list(_renamed(active.contract, candidate.contract)),
        inputs.held,
        inputs.cells,
        shared=run_in_thread(_score_changes, active, candidate, inputs.items()),
        replay=run_in_thread(_score_changes, active, candidate, [(item, item) for item in asked]),
    )


def _renamed(old: Contract, new: Contract) -> Iterator[Renamed]:
    olds, news = _labels(old), _labels(new)
    pairs: list[tuple[str, Iterable[str], Iterable[str]]] = [
        ("features", olds, news),
        ("flags", old.flag_names, new.flag_names),
        *((f"labels of {name}", olds[name], news[name]) for name in olds if name in news),
    ]
    for what, before, after in pairs:
        added = [name for name in after if name not in before]
        removed = [name for name in before if name not in after]
        if added or removed:
            yield Renamed(what, added, removed)


def _labels(contract: Contract) -> dict[str, Iterable[str]]:
    """The labels of each feature."""
    return {feature.name: feature.labels or {} for feature in contract.features}


def _score_changes(
    active: ModelVersion, candidate: ModelVersion, items: Iterable[tuple[Item, Item]]
) -> ScoreChanges:
    asked: list[Item] = []
    olds, news, unasked, refused = [], [], 0, 0
    for old, new in items:
        old_row, new_row = _row(active, old), _row(candidate, new)
        if old_row and new_row:
            asked.append(old | new)
            olds.append(old_row)
            news.append(new_row)
        elif old_row:
            refused += 1
        else:
            unasked += 1
    answered = list(zip(asked, answers(active, olds), answers(candidate, news), strict=True))
    both = [(item, old, new) for item, old, new in answered if old is not None and new is not None]
    silent = sum(old is None for _, old, _ in answered)
    unasked += silent
    refused += len(answered) - len(both) - silent
    counted = ScoreChanges(len(both), unasked, refused, mean=0, largest=0, other_top=0, most=[])
    return _measured(counted, both, active.contract, candidate.contract)


def _measured(
    counted: ScoreChanges,
    both: Sequence[tuple[Item, Sequence[float], Sequence[float]]],
    active: Contract,
    candidate: Contract,
) -> ScoreChanges:
    """How far the scores of shared flags differ, where ``both`` versions have an answer."""
    names, others = active.flag_names, candidate.flag_names
    shared = [name for name in names if name in others]
    if not both or not shared:
        return counted
    changes: list[Change] = []
    total, other_top = 0.0, 0
    for item, before, after in both:
        was = dict(zip(names, before, strict=True))
        becomes = dict(zip(others, after, strict=True))
        moved = {flag: abs(becomes[flag] - was[flag]) for flag in shared}
        other_top += _top(was) != _top(becomes)
        total += sum(moved.values())
        changes.append(Change(item, _top(moved), was[_top(moved)], becomes[_top(moved)]))
    changes.sort(key=lambda change: -abs(change.after - change.before))
    return replace(
        counted,
        mean=total / (len(both) * len(shared)),
        largest=abs(changes[0].after - changes[0].before),
        other_top=other_top,
        most=[
            replace(one, case=_in_words(active, one.inputs)) for one in _different(changes)[:MOST]
        ],
    )


def _top(scores: Mapping[str, float]) -> str:
    """The flag with the highest score, the first of equals."""
    return max(scores, key=scores.__getitem__)


def _different(changes: Iterable[Change]) -> list[Change]:
    """The changed answers, each input once even if it was logged often."""
    once = {json.dumps(one.inputs): one for one in changes if one.before != one.after}
    return list(once.values())


def _in_words(contract: Contract, item: Item) -> str:
    unknown = {feature.name: feature.unknown for feature in contract.features}
    texts = ((name, sentence(text_of(value), _MOST_SHOWN)) for name, value in item.items())
    return ", ".join(f"{name} {text or unknown.get(name, '')}".rstrip() for name, text in texts)


def _row(model: ModelVersion, item: Item) -> Row | None:
    try:
        return model.encoder.encode(item)
    except InvalidInput:
        return None
