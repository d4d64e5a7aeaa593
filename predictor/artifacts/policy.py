"""What the operator allows a model version to be: limits, other libraries, signatures."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Where an artefact is refused for its size or its appetite."""

    model_bytes: int = 2**30
    plain_bytes: int = 8 * 2**20  # lookup.pkl, flags.pkl and metadata.json, each
    support_bytes: int = 64 * 2**20
    steps: int = 3_000_000  # pickle opcodes
    nesting: int = 200  # containers and objects within each other
    memory: int = 4 * 2**30  # bytes of address space the trial may use
    seconds: int = 30  # of processor time the trial may use


@dataclass(frozen=True)
class Policy:
    """How versions are judged. The default suits a notebook: no signature, nothing kept.

    ``modules`` are those of other libraries whose classes may be loaded (``lightgbm.sklearn``).
    ``public_key`` (base64 of 32 bytes, or PEM) makes a signature obligatory. ``store`` is the
    folder that keeps verdicts, so that no version is tried twice, and tables, for models that
    can be asked no more than ``cells`` different questions.
    """

    limits: Limits = field(default_factory=Limits)
    modules: frozenset[str] = frozenset()
    public_key: str = ""
    other_sklearn: bool = False
    store: Path | None = None
    cells: int = 250_000
