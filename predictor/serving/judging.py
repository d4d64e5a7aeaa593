"""What the verdict on a version means for its activation, and new verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import CASES, VersionFiles, read_file, read_version
from predictor.artifacts.policy import Limits
from predictor.artifacts.version import ModelVersion
from predictor.evidence.answers import answers_of
from predictor.evidence.cases import TWIN, read_cases
from predictor.evidence.errors import EvidenceError
from predictor.evidence.judging import PUBLISHED, Opponent, judge, learnt_until
from predictor.evidence.rules import Rules, read_rules
from predictor.evidence.verdict import Result, Verdict, refusals_of, result_of
from predictor.models import Verdict as Record


def objection(model: ModelVersion) -> str:
    """Why the version's newest verdict forbids its activation; empty when it does not."""
    newest = Record.objects.filter(model=model.name, sha256=model.sha256).first()
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
    newest = Record.objects.filter(model=files.folder.parent.name, sha256=files.fingerprint).first()
    if newest is not None:
        when = f"judged again on {newest.time:%Y-%m-%d %H:%M} by {newest.by}; this one counts"
        found.append(ShownVerdict(newest.found, when))
    if result_of(files.metadata) is not None:
        found.append(ShownVerdict(files.metadata["verdict"], "at training"))
    return found


def created(metadata: Mapping[str, Any]) -> datetime | None:
    """The time in ``created``; for a date alone its end, since the hour is unknown."""
    said = metadata.get("created")
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    if isinstance(said, str) and len(said) <= 10 and moment.time() == time():
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def origin_of_answer(folder: Path, sha256: str) -> list[tuple[str, str]]:
    """The origin of exactly the files that gave an answer; see ``origin_of``.

    Raises ArtifactError when they are no longer in ``folder``.
    """
    try:
        kept = [(file.name, file.stat()) for file in folder.iterdir()]
    except OSError as error:
        raise ArtifactError("its files are no longer here") from error
    stamps = sorted((name, known.st_mtime_ns, known.st_size) for name, known in kept)
    return _origin_of_answer(folder, sha256, tuple(stamps))


@lru_cache(maxsize=128)  # it reads all files
def _origin_of_answer(
    folder: Path, sha256: str, stamps: tuple[tuple[str, int, int], ...]
) -> list[tuple[str, str]]:
    files = read_version(folder)
    if files.fingerprint != sha256:
        raise ArtifactError("other files have its name now")
    return origin_of(files)


def origin_of(files: VersionFiles) -> list[tuple[str, str]]:
    """Where a version comes from, as titles and values from its metadata."""
    said = {
        "created": files.metadata.get("created"),
        **_section(files.metadata, "origin"),
        "period of the data": _section(files.metadata, "data").get("period"),
    }
    return [
        (str(name).replace("_", " "), str(value))
        for name, value in said.items()
        if isinstance(value, str | int | float) and value != ""
    ]


def _section(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = metadata.get(name)
    return section if isinstance(section, Mapping) else {}


def judge_version(
    model: ModelVersion,
    folder: Path,
    *,
    cases: Path | None = None,
    rules: Path | None = None,
    against: ModelVersion | None = None,
) -> Verdict:
    """Judge a version on its own or other cases, by its own or other rules.

    ``against`` is the version that answers now. Raises EvidenceError when there can be no verdict,
    ArtifactError when ``cases.csv`` cannot be read.
    """
    data = _cases(folder, cases)
    names = [feature.name for feature in model.contract.features]
    found = read_cases(data, names, model.contract.flag_names)
    found = found.with_scores(PUBLISHED, answers_of(model, found))
    if cases is not None and TWIN in found.scores:
        # a file given by hand may hold the answers of another model
        found = found.without_scores(TWIN)
    opponent = None
    if against is not None:
        until = learnt_until(against.metadata)
        opponent = Opponent(against.version, against.sha256, until, answers_of(against, found))
    return judge(found, data, _rules(model, rules), opponent)


def record_verdict(model: ModelVersion, verdict: Verdict, by: str) -> Record:
    """Keep a verdict given after training; the newest one counts."""
    return Record.objects.create(
        model=model.name,
        version=model.version,
        sha256=model.sha256,
        result=str(verdict.result),
        found=verdict.as_json(),
        by=by,
    )


def _cases(folder: Path, given: Path | None) -> bytes:
    if given is not None:
        try:
            return given.read_bytes()
        except OSError as error:
            raise EvidenceError(f"{given} cannot be read: {error.strerror}") from error
    if not (folder / CASES).exists():
        raise EvidenceError(
            f"{folder.parent.name} {folder.name} has no {CASES}: name a file with --cases"
        )
    return read_file(folder / CASES, Limits().support_bytes)


def _rules(model: ModelVersion, given: Path | None) -> Rules:
    if given is not None:
        try:
            return read_rules(given.read_bytes())
        except OSError as error:
            raise EvidenceError(f"{given} cannot be read: {error.strerror}") from error
    verdict = model.metadata.get("verdict")
    text = verdict.get("rules") if isinstance(verdict, Mapping) else None
    if not isinstance(text, str):
        raise EvidenceError(f"{model.name} {model.version} has no rules: name a file with --rules")
    return read_rules(text.encode())
