"""The verdicts on record for a version, and what they mean for its activation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from predictor.artifacts.files import VersionFiles
from predictor.artifacts.version import ModelVersion
from predictor.evidence.verdict import Result, refusals_of, result_of
from predictor.models import Verdict


def objection(model: ModelVersion) -> str:
    """Why the version's newest verdict forbids its activation; empty when it does not."""
    newest = _newest(model.name, model.sha256)
    metadata = model.metadata if newest is None else {"verdict": newest.found}
    result = result_of(metadata)
    if result is Result.REFUSED:
        return f"its rules refuse it: {refusals_of(metadata)}"
    if result is not Result.PASSED and settings.REQUIRE_VERDICT:
        return f"REQUIRE_VERDICT is set, and {unjudged(metadata)}"
    return ""


def unjudged(metadata: Mapping[str, Any]) -> str:
    """A phrase that says a version was not judged; empty when it was."""
    result = result_of(metadata)
    if result is None:
        return "carries no verdict (the command judge_model gives one)"
    return "could not be judged when it was trained" if result is Result.NOT_JUDGED else ""


def verdict_in_words(metadata: Mapping[str, Any]) -> str:
    """``passed``, or ``refused`` with the rules; empty where there is no verdict."""
    refusals = refusals_of(metadata)
    return f"{result_of(metadata) or ''}" + (f" ({refusals})" if refusals else "")


@dataclass(frozen=True)
class ShownVerdict:
    """A verdict for display, and its time."""

    verdict: Mapping[str, Any]
    when: str


def verdicts_shown(files: VersionFiles) -> list[ShownVerdict]:
    """The verdicts on a version: the newest one after training, which counts, and the first."""
    found = []
    newest = _newest(files.folder.parent.name, files.fingerprint)
    if newest is not None:
        when = f"judged again on {newest.time:%Y-%m-%d %H:%M} by {newest.by}; this one counts"
        found.append(ShownVerdict(newest.found, when))
    if result_of(files.metadata) is not None:
        found.append(ShownVerdict(files.metadata["verdict"], "at training"))
    return found


def record_verdict(model: ModelVersion, found: Mapping[str, Any], by: str) -> Verdict:
    """Keep a verdict given after training, as its ``as_json`` writes it; the newest one counts."""
    return Verdict.objects.create(
        model=model.name,
        version=model.version,
        sha256=model.sha256,
        result=found["result"],
        found=found,
        by=by,
    )


def _newest(model: str, sha256: str) -> Verdict | None:
    return Verdict.objects.filter(model=model, sha256=sha256).first()
