"""The result of a candidate's replay of the log, in words: for the command and for admin."""

from collections.abc import Iterator
from datetime import datetime

from predictor.artifacts.figures import counted, figures
from predictor.artifacts.version import ModelVersion
from predictor.evidence.sequences import FEWEST_STRICT
from predictor.trials.proof import Replayed, made, paired_losses

_REASONS = 5  # reasons for refusal to show


def report(
    candidate: ModelVersion, new: int, found: list[Replayed], start: datetime | None
) -> Iterator[str]:
    """The result of a replay, in lines for people; ``new`` rows were scored now."""
    asked, name = sum(one.asked for one in found), f"{candidate.name} {candidate.version}"
    since = f" since {start:%Y-%m-%d %H:%M} UTC" if start else ""
    yield f"{name}: {counted(asked, 'logged answer')}{since}, {new:,} asked now"
    for one in found:
        yield f"beside {one.version}: {counted(one.asked, 'answer')}"
        if one.refused:
            none = counted(one.refused, "has no answer", "have no answer")
            yield f"  {none} of {candidate.version}:"
            often = sorted(one.refusals.items(), key=lambda pair: -pair[1])
            yield from (f"    {count:,}: {reason}" for reason, count in often[:_REASONS])
        same = counted(one.same, "is the same", "are the same")
        yield f"  {same}, another flag is highest for {one.other_top:,}"
        yield f"  mean change {figures(one.mean)}, largest {figures(one.largest)}"
        if one.known:
            losses = f"{one.loss / one.known:.4f} → {one.candidate_loss / one.known:.4f}"
            yield f"  log loss over {counted(one.known, 'outcome')}: {losses}"
        if one.sha256 != candidate.sha256:
            yield from _evidence(candidate, one, start)


def _evidence(candidate: ModelVersion, one: Replayed, start: datetime | None) -> Iterator[str]:
    """The rows that count as evidence, and what they prove."""
    unknown = [
        version
        for version in (candidate.version, one.version)
        if made(candidate.name, version) is None
    ]
    if unknown:
        yield f"  replay, no evidence: {unknown[0]} does not say when it was made"
        return
    older = one.asked - one.evidence
    yield f"  evidence: {counted(one.evidence, 'answer')} given after both were made" + (
        f"; {counted(older, 'older one is replay', 'older ones are replay')}" if older else ""
    )
    names = (candidate.version, candidate.sha256), (one.version, one.sha256)
    losses = paired_losses(candidate.name, *names, start)
    if losses.count < FEWEST_STRICT:
        known = counted(losses.count, "outcome of these is known", "outcomes of these are known")
        yield f"  proof: none, {known}; {FEWEST_STRICT} needed"
    for interval in filter(None, (losses.interval(), losses.strict_interval())):
        yield f"  {_word(interval.low, interval.high)}: difference in {interval}"


def _word(low: float, high: float) -> str:
    if low > 0:
        return "proven worse"
    return "proven better" if high < 0 else "nothing proven"
