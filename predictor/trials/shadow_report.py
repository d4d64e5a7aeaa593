"""What a replay of the log found of a candidate, in words: for the command and for admin."""

from collections.abc import Iterator
from datetime import datetime

from predictor.artifacts.version import ModelVersion
from predictor.evidence.sequences import FEWEST_STRICT
from predictor.trials.proof import Replayed, made, paired_losses

_REASONS = 5  # why rows were refused, shown


def report(
    candidate: ModelVersion, new: int, found: list[Replayed], start: datetime | None
) -> Iterator[str]:
    """What a replay found, in lines for people; ``new`` rows were asked now."""
    asked, name = sum(one.asked for one in found), f"{candidate.name} {candidate.version}"
    since = f" since {start:%Y-%m-%d %H:%M} UTC" if start else ""
    yield f"{name}: {asked:,} logged answers{since}, {new:,} asked now"
    for one in found:
        yield f"beside {one.version}: {one.asked:,} answers"
        if one.refused:
            yield f"  {one.refused:,} have no answer of {candidate.version}:"
            often = sorted(one.refusals.items(), key=lambda pair: -pair[1])
            yield from (f"    {count:,}: {reason}" for reason, count in often[:_REASONS])
        yield f"  {one.same:,} are the same, another flag is highest for {one.other_top:,}"
        yield f"  mean change {one.mean:.4f}, largest {one.largest:.4f}"
        if one.known:
            losses = f"{one.loss / one.known:.4f} → {one.candidate_loss / one.known:.4f}"
            yield f"  log loss over {one.known:,} outcomes: {losses}"
        if one.sha256 != candidate.sha256:
            yield from _evidence(candidate, one, start)


def _evidence(candidate: ModelVersion, one: Replayed, start: datetime | None) -> Iterator[str]:
    """What counts, and what it proves."""
    unknown = [
        version
        for version in (candidate.version, one.version)
        if made(candidate.name, version) is None
    ]
    if unknown:
        yield f"  replay, no evidence: {unknown[0]} does not say when it was made"
        return
    older = one.asked - one.evidence
    yield f"  evidence: {one.evidence:,} answers given after both were made" + (
        f"; {older:,} older ones are replay" if older else ""
    )
    names = (candidate.version, candidate.sha256), (one.version, one.sha256)
    losses = paired_losses(candidate.name, *names, start)
    if losses.count < FEWEST_STRICT:
        yield f"  proof: none, {losses.count:,} outcomes of these are known; {FEWEST_STRICT} needed"
    for interval in filter(None, (losses.interval(), losses.strict_interval())):
        yield f"  {_word(interval.low, interval.high)}: difference in {interval}"


def _word(low: float, high: float) -> str:
    if low > 0:
        return "proven worse"
    return "proven better" if high < 0 else "nothing proven"
