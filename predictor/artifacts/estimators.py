"""From a version's pickle to a scorer, in any process that runs the estimator."""

from collections.abc import Sequence

from .contract import Contract
from .files import MODEL, VersionFiles
from .inputs import Row
from .policy import Policy
from .scoring import Scorer
from .states import make_constant, make_single_threaded
from .unpickling import load_estimator


def load_scorer(
    files: VersionFiles,
    contract: Contract,
    policy: Policy,
    shortcut: bool | None,
    rows: Sequence[Row] = (),
) -> Scorer:
    """The estimator bound to its contract. Raises ArtifactError when they do not fit.

    ``shortcut`` and ``rows`` are the examination's findings; see Scorer.
    """
    estimator = load_estimator(MODEL, files.content[MODEL], policy)
    make_single_threaded(estimator)
    make_constant(estimator)
    return Scorer(contract, estimator, shortcut, rows=rows)
