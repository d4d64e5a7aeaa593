"""From a fitted estimator and its training data to a version that is proven to answer the same.

draft.py drafts the version, the examination checks it as a server would, and some rows of the data
are scored the way a server scores them. The folder appears only if the answers are the estimator's.
"""

import json
import os
import re
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from predictor.artifacts.durable import move_into_place
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.figures import counted
from predictor.artifacts.files import MODEL, read_file, write_version
from predictor.artifacts.made_with import judge_versions, sklearn_versions
from predictor.artifacts.names import check_model_name, check_name, version_key
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_text import found_out, named
from predictor.artifacts.unpickling import inspect_estimator, load_estimator
from predictor.artifacts.untrusted import read_json
from predictor.artifacts.version import ModelVersion, load_version

from .draft import Described, asked_method, draft
from .own_answers import Say, answered, compare
from .training_data import TrainingData
from .training_file import read_training_data

_FIRST = "1.0.0"


def bring(  # noqa: PLR0913 - an estimator, a folder, and the rules for both
    estimator: Any,
    folder: Path,
    readings: Iterable[TrainingData],
    described: Described,
    policy: Policy,
    say: Say = print,
    port: str = "",
) -> Path:
    """Write ``folder`` (``…/<model>/<version>``) if a server answers there as the estimator does.

    ``readings`` are the possible readings of the data; the first that the estimator accepts is
    used. ``say`` prints each step, its result, and a request to try on a server at ``port``
    (default: as the environment says). Raises ArtifactError with the next step.
    """
    if folder.exists():
        raise ArtifactError(f"{folder} exists already: versions are final")
    metadata = asked_method(estimator, described.metadata or {})
    data, rows, own, problem = answered(estimator, readings, metadata)
    if problem and data.table.isna().any(axis=None):
        say(f"rows with gaps are left out, since the estimator cannot answer them: {problem:.200}")
    if data.ignored:
        say(f"not used by the model: {', '.join(data.ignored)}")
    drafted = draft(estimator, data, rows, own.shape[1], metadata, described)
    root = folder.parent.parent
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bringing-", dir=root) as place:
        there = Path(place) / folder.parent.name / folder.name
        write_version(there, estimator, *drafted)
        say("examining it as a server does …")
        # the version is signed later, and the comparison runs in this process
        version = load_version(there, replace(policy, public_key="", room=None), chosen=True)
        for line in _found(version):
            say(f"  {line}")
        compare(version, rows, own, say)
        folder.parent.mkdir(exist_ok=True)
        move_into_place(there, folder)
    say(f"{folder} is ready. When a server serves it, ask:")
    port = port or os.environ.get("PORT") or "8000"
    say(_question(port, folder.parent.name, next(iter(version.contract.examples.values()))))
    return folder


def add_arguments(parser: ArgumentParser) -> None:
    """The command line of ``bring_files``."""
    parser.add_argument("model", type=Path, help="the estimator, as pickle.dump wrote it")
    parser.add_argument(
        "--data", type=Path, required=True, help="what it was fitted on: CSV or Parquet"
    )
    parser.add_argument(
        "--name", default="", help="MODEL or MODEL/VERSION; default: the file's name, a new version"
    )
    parser.add_argument("--target", default="", help="the column that is predicted")
    parser.add_argument(
        "--features", nargs="+", default=[], metavar="COLUMN",
        help="the columns that the model takes; default: those that it names, or all others",
    )  # fmt: skip
    parser.add_argument("--metadata", type=Path, help="metadata.json with titles, units and more")


def bring_files(
    options: Mapping[str, Any], root: Path, policy: Policy, say: Say, port: str = ""
) -> Path:
    """``bring`` of the files that the command line names, into ``root/<model>/<version>``."""
    path: Path = options["model"]
    folder = _folder(root, options["name"], path)
    estimator = _load(path, policy)
    readings = read_training_data(
        estimator, options["data"], options["target"], options["features"]
    )
    metadata = {}
    if options["metadata"]:
        metadata = read_json(
            options["metadata"].name, read_file(options["metadata"], policy.limits.plain_bytes)
        )
    described = Described(metadata=metadata, target=options["target"])
    return bring(estimator, folder, readings, described, policy, say, port)


def _load(path: Path, policy: Policy) -> Any:
    data = read_file(path, policy.limits.model_bytes)
    inspection = inspect_estimator(data, policy)
    judge_versions(sklearn_versions(data, inspection), policy)
    if inspection.refusal:
        raise ArtifactError(f"{path.name} {inspection.refusal}")
    return load_estimator(path.name, data, policy, inspection)


def _folder(root: Path, name: str, model: Path) -> Path:
    """The version's folder; the model or version that ``name`` leaves out is chosen here.

    Raises ArtifactError for a name that no server would serve.
    """
    plain = model.absolute()
    named = plain.parent.name if plain.stem == Path(MODEL).stem else plain.stem
    model_name, _, version = name.partition("/")
    model_name = model_name or re.sub(r"[^A-Za-z0-9._-]+", "-", named).strip("-._") or "model"
    home = root / check_model_name(model_name)
    return home / check_name("version", version or _next(home))


def _next(folder: Path) -> str:
    """The number after the newest version's."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    versions = [name for name in names if re.fullmatch(r"\d+(\.\d+)*", name)]
    if not versions:
        return _FIRST
    first, *rest = max(versions, key=version_key).split(".")
    second = int(rest[0]) + 1 if rest else 1
    return ".".join([first, str(second), *["0"] * len(rest[1:])])


def _found(version: ModelVersion) -> Iterator[str]:
    report = version.report
    sizes = counted(len(report.features), "feature"), counted(len(report.flags), "flag")
    yield f"{report.estimator}: {', '.join(sizes)}"
    yield from report.pairing
    yield from found_out(report)
    # optional fields come from the drafted metadata.json, not from the findings; callers need both
    found = {name for name, kinds in report.kinds.items() if kinds.get("missing")}
    stated = [f.name for f in version.contract.features if f.missing and f.name not in found]
    if stated:
        yield f"{named(stated)}: may be missing, as metadata.json says"
    yield from (f"note: {note}" for note in (*version.warnings, *report.notes))


def _question(port: str, model: str, item: Mapping[str, Any]) -> str:
    body = json.dumps(item, ensure_ascii=False).replace("'", "\\u0027")
    return (
        f"curl -X POST localhost:{port}/api/models/{model}/predict "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
