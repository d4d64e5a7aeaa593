"""A request that is sent again is answered by the version that answered it first."""

from dataclasses import replace
from typing import Any

from predictor.artifacts.contract import Flag
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.version import ModelVersion
from predictor.predictions.claims import Claim
from predictor.predictions.once import claim_for
from predictor.predictions.origin import Origin
from predictor.serving.earlier import earlier


def claimed(
    model: ModelVersion, key: str | None, origin: Origin, body: Any, reference: str = ""
) -> tuple[ModelVersion, Claim | None]:
    """The version that answers, and the claim of the key: ``model``, unless another began.

    Where that one's files are gone, what is on record is the answer, and ``model`` adds to it only
    if it has the same flags. Raises what ``claim_for`` raises.
    """
    claim = claim_for(origin, key, model, body, reference)
    began = claim.began_with() if claim else None
    if claim is None or began is None:
        return model, claim
    version, sha256, flags = began
    try:
        return earlier(model, version, sha256), claim
    except ArtifactError:
        if {*flags} != {*model.contract.flag_names}:
            claim.end(f"{model.name} {version}")
            contract = replace(model.contract, flags=tuple([Flag(name, name) for name in flags]))
            model = replace(model, contract=contract)
        return model, claim
