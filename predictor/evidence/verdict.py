"""A verdict: the checks, their findings, and the result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """The result of one rule, or of all together."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Check:
    """The finding of one rule; 95 of 100 such findings are between ``low`` and ``high``."""

    rule: str
    result: Result
    found: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | list[float] | None = None
    note: str = ""
    needed: bool = True  # without it there is no verdict

    def as_json(self) -> dict[str, Any]:
        kept = {key: value for key, value in asdict(self).items() if value not in (None, "")}
        kept.pop("needed", None)
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in kept.items()}

    def __str__(self) -> str:
        numbers = {"found": self.found, "from": self.low, "to": self.high}
        words = [f"{name} {value:.5f}" for name, value in numbers.items() if value is not None]
        words += [] if self.limit is None else [f"limit {self.limit}"]
        said = ", ".join(filter(None, [*words, self.note]))
        return f"{self.result:10} {self.rule}: {said}"


@dataclass(frozen=True)
class Verdict:
    """Refused when a rule refuses, passed when every rule that is needed passed."""

    judged: str  # the model whose answers were judged: "twin" or "published"
    checks: list[Check]
    rules_sha256: str
    cases_sha256: str
    against: Mapping[str, str] = field(default_factory=dict)  # version, sha256
    forced: Mapping[str, str] = field(default_factory=dict)  # by, reason

    @property
    def result(self) -> Result:
        results = [check.result for check in self.checks if check.needed]
        if any(check.result is Result.REFUSED for check in self.checks):
            return Result.REFUSED
        if not results or Result.NOT_JUDGED in results:
            return Result.NOT_JUDGED
        return Result.PASSED

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.result is Result.REFUSED]

    def as_json(self, rules: str = "") -> dict[str, Any]:
        """The verdict for ``metadata.json``; ``rules`` is the text of the rules."""
        return {
            "result": str(self.result),
            "judged": self.judged,
            "rules_sha256": self.rules_sha256,
            "cases_sha256": self.cases_sha256,
            **({"against": dict(self.against)} if self.against else {}),
            **({"forced": dict(self.forced)} if self.forced else {}),
            "checks": [check.as_json() for check in self.checks],
            **({"rules": rules} if rules else {}),
        }

    def __str__(self) -> str:
        return "\n".join([*map(str, self.checks), f"verdict: {self.result}"])


def result_of(metadata: Mapping[str, Any]) -> Result | None:
    """The verdict in a version's metadata; None when there is none.

    A verdict with any refused check is refused, even if its own result says otherwise.
    """
    verdict = metadata.get("verdict")
    if not isinstance(verdict, Mapping):
        return None
    if _refusals(verdict):
        return Result.REFUSED
    found = verdict.get("result")
    return Result(found) if found in list(Result) else None


def refusals_of(metadata: Mapping[str, Any]) -> str:
    """The rules that refused the version, as one line for people; empty when none did."""
    verdict = metadata.get("verdict")
    found = _refusals(verdict) if isinstance(verdict, Mapping) else []
    return ", ".join(str(check.get("rule", "a rule"))[:100] for check in found)


def _refusals(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    checks = verdict.get("checks")
    return [
        check
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, Mapping) and check.get("result") == Result.REFUSED
    ]
