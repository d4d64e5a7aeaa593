"""The gate before a version is written: its verdict, or the reason for none."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from predictor.evidence.cases import TWIN, read_cases, write_cases
from predictor.evidence.errors import RefusedError
from predictor.evidence.judging import PUBLISHED, judge
from predictor.evidence.losses import diagrams
from predictor.evidence.rules import read_rules
from predictor.evidence.slices import slices
from predictor.evidence.verdict import Result, Verdict

from .bundle import Bundle
from .origin import origin


def judged(bundle: Bundle, rules_path: Path, forced: Mapping[str, str] | None = None) -> Bundle:
    """``bundle`` with its verdict, slices, reliability and origin in its metadata.

    The judged cases are exactly the bytes that become ``cases.csv``. Raises EvidenceError when the
    rules or the cases cannot be used.
    """
    rules = read_rules(rules_path.read_bytes())
    verdict, found, diagram = None, [], {}
    if bundle.cases is not None:
        data = write_cases(bundle.cases)
        cases = read_cases(data, bundle.cases.features, bundle.cases.flags)
        if bundle.published is not None:
            cases = cases.with_scores(PUBLISHED, bundle.published)
        verdict = replace(judge(cases, data, rules), forced=forced or {})
        over = str(rules.sections.get("slices", {}).get("over", ""))
        found = [each.as_json() for each in slices(cases, TWIN, over)]
        diagram = diagrams(cases, TWIN)
    metadata = {
        **bundle.metadata,
        "origin": origin(),
        **({"verdict": verdict.as_json(rules.text)} if verdict else {}),
        **({"slices": found} if found else {}),
        **({"reliability": diagram} if diagram else {}),
    }
    return replace(bundle, metadata=metadata, verdict=verdict)


def check(verdict: Verdict | None) -> None:
    """Raises RefusedError when a rule refuses and ``--force`` is not given."""
    if verdict is not None and verdict.result is Result.REFUSED and not verdict.forced:
        raise RefusedError(
            f"refused by {len(verdict.failed)} of {len(verdict.checks)} rules:\n{verdict}\n"
            "nothing was written; --force with --reason writes it all the same, and says so"
        )
