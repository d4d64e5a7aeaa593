"""MLflow, where a team keeps its models: fetch versions, and mark the one that answers.

Needs ``pip install 'batcomputer[mlflow]'`` and ``MLFLOW_TRACKING_URI``. No worker imports it:
``python -m predictor.registry.tracking MODEL SHA256`` moves the alias ``champion``.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import FILES, MODEL, PICKLES, write_version
from predictor.artifacts.policy import Policy
from predictor.artifacts.unpickling import inspect_estimator, load_estimator

from . import RegistryError

ADDRESS = "MLFLOW_TRACKING_URI"
CHAMPION = "champion"
DESCRIPTION = "MLmodel"
READABLE = ("pickle", "cloudpickle")
# A column's value in lookup.pkl, by its type in the signature; the examination finds labels of
# texts.
_EXAMPLES: Mapping[str, Any] = {
    "string": 0, "boolean": False, "double": 0, "float": 0, "integer": 0, "long": 0,
}  # fmt: skip
_WHOLE = ("integer", "long")


@dataclass(frozen=True)
class Additions:
    """What a signature cannot describe: names of outputs, labels and bounds of features."""

    flags: list[str] = field(default_factory=list)
    labels: Mapping[str, list[str]] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def download(uri: str, into: Path) -> Path:
    """The files of ``models:/name@alias``, or of a run. Raises RegistryError."""
    mlflow = _mlflow()
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(into)))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise RegistryError(f"MLflow does not give {uri}: {error}") from error


def fill_version(source: Path, draft: Path, policy: Policy, said: Additions) -> None:
    """Make a version in ``draft`` from the download: a Batcomputer version as is, else a model.

    Raises ArtifactError with the next step when it cannot be one.
    """
    if all((source / name).is_file() for name in PICKLES):
        for name in FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, draft / name)
        return
    if not (source / DESCRIPTION).is_file():
        raise ArtifactError(f"neither a version of Batcomputer nor an {DESCRIPTION} is there")
    described = _mlflow().models.Model.load(str(source))
    estimator = _estimator(described, source, policy)
    lookup, features = _inputs(described, said)
    flags = said.flags or [str(each) for each in getattr(estimator, "classes_", ["prediction"])]
    metadata = {"features": features, "training": {"program": "MLflow", "run": described.run_id}}
    made = draft.parent / f"{draft.name}-made" / draft.parent.name / draft.name
    write_version(made, estimator, lookup, flags, metadata)
    shutil.copytree(made, draft, dirs_exist_ok=True)
    shutil.rmtree(draft.parent / f"{draft.name}-made")


def _estimator(described: Any, source: Path, policy: Policy) -> Any:
    """The estimator, read like that of every version: the allow-list decides before it is built."""
    flavour = described.flavors.get("sklearn")
    if flavour is None:
        raise ArtifactError(
            f"it is no scikit-learn model but {', '.join(described.flavors) or 'nothing'}: "
            "log it with mlflow.sklearn.log_model"
        )
    kind = flavour.get("serialization_format", "pickle")
    if kind not in READABLE:
        raise ArtifactError(
            f"it is kept as {kind}: log it again with serialization_format='cloudpickle'"
        )
    data = (source / flavour.get("pickled_model", MODEL)).read_bytes()
    found = inspect_estimator(data, policy)
    if found.refusal:
        raise ArtifactError(
            f"the model in MLflow {found.refusal}; functions of a notebook cannot be read: replace "
            "them by scikit-learn's own steps and log it again"
        )
    return load_estimator(MODEL, data, policy, found)


def _inputs(described: Any, said: Additions) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lookup and the metadata of the features, from the signature's columns."""
    schema = described.get_input_schema()
    if schema is None or not schema.has_input_names():
        raise ArtifactError(
            "it has no signature that names its columns: log it again with "
            "signature=mlflow.models.infer_signature(data_frame)"
        )
    lookup: dict[str, Any] = {}
    features: dict[str, dict[str, Any]] = {}
    for column in schema.inputs:
        lookup[column.name], known = _input(column, said.labels)
        if column.name in said.bounds:
            known["minimum"], known["maximum"] = said.bounds[column.name]
        if known:
            features[column.name] = known
    if strange := sorted(({*said.labels} | {*said.bounds}) - {*lookup}):
        raise ArtifactError(f"the signature has no column {strange[0]!r}")
    return lookup, features


def _input(column: Any, labels: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A column's value in the lookup, and its entry in the metadata."""
    if column.name in labels:
        return labels[column.name], {}
    kind = getattr(column.type, "name", str(column.type))
    if kind not in _EXAMPLES:
        raise ArtifactError(f"its column {column.name!r} is of the type {kind}, not a number, "
                            "text or true/false; name its labels with --labels")  # fmt: skip
    return _EXAMPLES[kind], {"integer": True} if kind in _WHOLE else {}


def announce(model: str, sha256: str) -> None:
    """Report to MLflow which version answers, in a separate process that no request waits for."""
    if os.environ.get(ADDRESS):
        subprocess.Popen(  # noqa: S603 - this very module, with a name and a digest
            [sys.executable, "-m", __name__, model, sha256],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )


def set_champion(model: str, sha256: str) -> str:
    """Move the alias to the registered version with this fingerprint; report the result."""
    mlflow = _mlflow()
    client = mlflow.MlflowClient()
    try:
        found = client.search_model_versions(f"name = '{model}' and tags.sha256 = '{sha256}'")
        if not found:
            return f"MLflow has no version of {model} with this fingerprint"
        client.set_registered_model_alias(model, CHAMPION, found[0].version)
    except mlflow.exceptions.MlflowException as error:
        return f"MLflow keeps its alias {CHAMPION} of {model}: {error}"
    return f"{CHAMPION} of {model} is version {found[0].version} of MLflow"


def _mlflow() -> Any:
    """The mlflow package, imported only here. Raises RegistryError if it is not installed."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    try:
        import mlflow  # noqa: PLC0415 - an optional extra
        import mlflow.artifacts  # noqa: PLC0415
        import mlflow.models  # noqa: PLC0415
    except ImportError as error:
        raise RegistryError("this needs MLflow: pip install 'batcomputer[mlflow]'") from error
    return mlflow


if __name__ == "__main__":
    print(set_champion(*sys.argv[1:]), file=sys.stderr)
