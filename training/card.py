"""``python -m training.card MODELS/NAME/VERSION CARD.md``: write a model's facts into its card.

The text between the card's two marks comes from ``metadata.json``, including the limits; the rest
is explanation, written by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from predictor.artifacts.durable import replace_file
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import ModelVersion, load_version

from .ending import one_sentence
from .usage import command_line

BEGIN, END = "<!-- from metadata.json: begin -->", "<!-- from metadata.json: end -->"
WORST = 10  # slices to show
NEEDED = {"description", "limits", "data", "metrics", "training", "sklearn_version"}


def facts(model: ModelVersion) -> str:
    """The facts of ``model`` as Markdown; raises ArtifactError when its metadata lacks one."""
    metadata = model.metadata
    if lacking := sorted(NEEDED - metadata.keys()):
        raise ArtifactError(f"metadata.json of {model.name} {model.version} has no {lacking[0]!r}")
    sections = [
        f"{metadata['description']}",
        "\n".join(["## Limits", "", *(f"- {limit}" for limit in metadata["limits"])]),
        _table("Data", metadata["data"]),
        _table("Quality", metadata["metrics"]),
        *_judged(metadata),
        _features(model),
        _rows("Outputs", "output", "shown as", ((f.name, f.title) for f in model.contract.flags)),
        _rows(
            "Made by",
            "what",
            "value",
            [
                ("version", model.version),
                ("scikit-learn", metadata["sklearn_version"]),
                *metadata["training"].items(),
            ],
        ),
    ]
    return "\n\n".join(sections)


def with_facts(card: str, model: ModelVersion) -> str:
    """The card with the facts of ``model`` between its marks, else raises ArtifactError."""
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ArtifactError(f"the card has no {BEGIN} … {END} to write between")
    return f"{before}{BEGIN}\n\n{facts(model)}\n\n{END}{after}"


def _judged(metadata: Mapping[str, Any]) -> list[str]:
    """The findings of the rules, and the slices furthest off; empty without a verdict."""
    found: list[str] = []
    if verdict := metadata.get("verdict"):
        rules = ("rule", "result", "found", "95 of 100", "limit")
        title = f"Verdict: {verdict['result']}"
        if forced := verdict.get("forced"):
            title += f", written by force of {forced['by']}: {forced['reason']}"
        found.append(_grid(title, rules, map(_check, verdict["checks"])))
    if slices := metadata.get("slices"):
        columns = ("slice", "cases", "flag", "stated", "actual", "intervals that held")
        found.append(_grid("Where it is weak", columns, map(_slice, slices[:WORST])))
    return found


def _check(check: Mapping[str, Any]) -> list[Any]:
    span = f"{check['low']:.4f} to {check['high']:.4f}" if "low" in check else ""
    return [check["rule"], check["result"], check.get("found", ""), span, check.get("limit", "")]


def _slice(each: Mapping[str, Any]) -> list[Any]:
    held = "" if each["coverage"] is None else each["coverage"]
    what = f"{each['feature']}: {each['label']}"
    return [what, each["n"], each["flag"], each["stated"], each["actual"], held]


def _grid(title: str, heads: Sequence[str], rows: Iterable[list[Any]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join(lines + [f"| {' | '.join(map(_shown, row))} |" for row in rows])


def _features(model: ModelVersion) -> str:
    rows = [
        (f.title, f"{len(f.labels):,} labels" if f.labels is not None else f.span(), f.help)
        for f in model.contract.features
    ]
    lines = ["## Features", "", "| feature | values | meaning |", "|---|---|---|"]
    return "\n".join(lines + [f"| {title} | {values} | {text} |" for title, values, text in rows])


def _table(title: str, section: Mapping[str, Any]) -> str:
    named = [(key.replace("_", " "), value) for key, value in section.items()]
    return _rows(title, "what", "value", named)


def _rows(title: str, first: str, second: str, pairs: Any) -> str:
    lines = [f"## {title}", "", f"| {first} | {second} |", "|---|---|"]
    return "\n".join(lines + [f"| {key} | {_shown(value)} |" for key, value in pairs])


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.card", __doc__)
    parser.add_argument(
        "version", type=Path, help="folder of a version, such as models/crime/1.0.0"
    )
    parser.add_argument("card", type=Path, help="such as docs/models/crime.md")
    options = parser.parse_args(arguments)
    with one_sentence(ArtifactError):
        model = load_version(options.version)
        card = options.card.read_text(encoding="utf-8")
        replace_file(options.card, with_facts(card, model).encode())
    print(f"{options.card} describes {model.name} {model.version}")


if __name__ == "__main__":
    main()
