"""A new verdict on an installed version."""

from collections.abc import Mapping
from pathlib import Path

from predictor.artifacts.files import CASES, read_file
from predictor.artifacts.policy import Limits
from predictor.artifacts.version import ModelVersion
from predictor.evidence.answers import answers_of
from predictor.evidence.cases import TWIN, read_cases
from predictor.evidence.errors import EvidenceError
from predictor.evidence.judging import PUBLISHED, Opponent, judge, learnt_until
from predictor.evidence.rules import Rules, read_rules
from predictor.evidence.verdict import Verdict


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
