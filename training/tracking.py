"""``python -m training.tracking MODELS/NAME/VERSION``: log a version as a run of MLflow.

The trainers do so themselves if ``MLFLOW_TRACKING_URI`` is set. Needs ``pip install
'batcomputer[mlflow]'``. It registers the version's own files, so that MLflow keeps what the server
serves.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.version import load_version

from .card import NEEDED, facts
from .ending import one_sentence
from .usage import command_line

ADDRESS = "MLFLOW_TRACKING_URI"
CANDIDATE = "candidate"
_SECTIONS = {"verdict": "verdict.json", "data": "figures.json"}
FILES = "version"  # the folder of artefacts with the version's files


def track(folder: Path) -> str:
    """Log and register the version in ``folder``; returns a sentence that says where.

    Parameters are its ``training``; metrics are its own, those of its slices and of its verdict;
    ``verdict.json``, ``figures.json`` and ``card.md`` are next to the files. Raises ArtifactError
    without MLflow.
    """
    try:
        import mlflow  # noqa: PLC0415 - an optional extra, and half a second
    except ImportError as error:
        raise ArtifactError(f"{ADDRESS} is set: pip install 'batcomputer[mlflow]'") from error
    files = read_version(folder)
    name, version, metadata = folder.parent.name, folder.name, files.metadata
    tags = {"version": version, "sha256": files.fingerprint, **_texts(metadata.get("origin"))}
    mlflow.set_experiment(name)
    with mlflow.start_run(run_name=f"{name} {version}", tags=tags) as run:
        mlflow.log_params(_texts(metadata.get("training")))
        mlflow.log_metrics(dict(_metrics(metadata)))
        for section, file in _SECTIONS.items():
            if section in metadata:
                mlflow.log_dict(dict(metadata[section]), file)
        if metadata.keys() >= NEEDED:
            mlflow.log_text(facts(load_version(folder)), "card.md")
        mlflow.log_artifacts(str(folder), FILES)
        source = f"{run.info.artifact_uri}/{FILES}"
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(name, source, run.info.run_id, tags=tags)
    client.set_registered_model_alias(name, CANDIDATE, made.version)
    return f"{name} {version} is version {made.version} of MLflow, run {run.info.run_id}"


def _texts(section: Any) -> dict[str, str]:
    known = section if isinstance(section, Mapping) else {}
    return {str(key): str(value)[:500] for key, value in known.items()}


def _metrics(metadata: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Everything that is a number, by a name that MLflow allows."""
    found = {**metadata.get("metrics", {})}
    for check in metadata.get("verdict", {}).get("checks", []):
        found[f"verdict.{check['rule']}"] = check.get("found")
    for each in metadata.get("slices", []):
        for what in ("gap", "log_loss", "coverage", "n"):
            found[f"slice.{each['feature']}.{each['label']}.{what}"] = each.get(what)
    for name, value in found.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)[:250], value


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.tracking", __doc__)
    parser.add_argument("version", type=Path, help="such as models/crime/1.0.0")
    options = parser.parse_args(arguments)
    with one_sentence(ArtifactError):
        print(track(options.version.absolute()))


if __name__ == "__main__":
    main()
