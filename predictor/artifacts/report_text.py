"""An examination's findings as text for a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .report_store import Report

_MOST_NAMES = 5  # of inputs with the same finding


def summed_up(path: Path, report: Report) -> str:
    """The report in one line."""
    verdict = "accepted" if report.accepted else f"refused: {report.reason}"
    return f"  {path.parent.name} {path.name}: {report.estimator or 'no estimator'}, {verdict}"


def found_out(report: Report) -> Iterator[str]:
    """What the examination found out about the inputs: ``city, gang: passed by label``."""
    alike: dict[str, list[str]] = {}
    for name, found in report.kinds.items():
        if name:
            alike.setdefault(", ".join(_words(found)), []).append(name)
        elif found.get("one_dimensional"):
            yield "the estimator gets a list of texts"
        elif found.get("records"):
            yield "the estimator gets a dictionary for each row"
        elif found.get("by_name"):
            yield "the estimator gets a data frame"
    for words, names in alike.items():
        yield f"{named(names)}: {words}"


def named(names: Sequence[str]) -> str:
    """The names; of many, the first and how many more."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"


def _words(found: Mapping[str, Any]) -> Iterator[str]:
    if "type" in found:
        yield str(found["type"])
    if labels := found.get("labels"):
        texts = any(isinstance(cell, str) for cell in labels.values())
        yield "passed by label" if texts else "passed by the number that the label is"
    if found.get("truths"):
        yield "true and false are passed as texts"
    for key, words in (("missing", "may be missing"), ("open", "other labels are passed on")):
        if found.get(key):
            yield words
    if "column" in found and found["column"] != "object":
        categories = found["column"] == "category"
        yield f"a column of {'pandas categories' if categories else found['column']}"


def report_lines(path: Path, report: Report) -> str:
    """The report as lines for people."""
    made_with = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    lines = {
        "estimator": report.estimator,
        "features": ", ".join(report.features),
        "flags": ", ".join(report.flags),
        "classes": "; ".join(report.pairing),
        "scores": report.scores,
        "found out": "; ".join(found_out(report)),
        "no answer": "; ".join(report.notes),
        "made with": made_with,
        "asks for": "\n             ".join(report.names),
        "sha256": report.sha256,
        "signature": report.signature,
        "warning": "; ".join(report.warnings),
        "verdict": "accepted" if report.accepted else "refused",
        "reason": report.reason,
    }
    return "\n".join([f"{path}", *(f"  {key:<10} {text}" for key, text in lines.items() if text)])


def progress(reports: Iterable[Report], count: int) -> Iterable[Report]:
    """``reports`` of several versions, with a progress bar if stderr is a terminal."""
    return tqdm(reports, "examined", count, unit="version", disable=None if count > 1 else True)
