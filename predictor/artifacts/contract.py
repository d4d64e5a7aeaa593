"""The contract: a model's inputs and outputs, in human words.

Made from ``lookup.pkl`` and ``flags.pkl``, refined by ``metadata.json`` and by the examination's
findings. The API's validation, its OpenAPI document, the page's form and the CSV
dialect all read this one object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .errors import ArtifactError
from .flags import read_flags
from .kinds import KINDS
from .kinds.feature import Feature, Number
from .lookup import build_feature
from .lookup_values import MAX_LABELS
from .metadata import check_version_keys, mapping, section, words, written
from .names import first_twin

__all__ = [
    "MAX_FEATURES", "MAX_LABELS", "Contract", "Feature", "Flag", "Number", "build_contract",
]  # fmt: skip

MAX_FEATURES = 1_000


@dataclass(frozen=True)
class Flag:
    """One output of the model."""

    name: str
    title: str
    help: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Contract:
    """A model's inputs in the estimator's column order, its outputs in the estimator's order."""

    features: tuple[Feature, ...]
    flags: tuple[Flag, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None  # by flag, where flags.pkl maps classes to names
    one_dimensional: bool = False  # whether the estimator takes a list of texts, not a table
    records: bool = False  # whether it takes a dictionary for each row
    by_name: bool = False  # whether it takes a data frame without having recorded names

    @cached_property
    def flag_names(self) -> list[str]:
        return [flag.name for flag in self.flags]

    @property
    def examples(self) -> dict[str, Any]:
        """The version's named cases; if it has none, one made of the features' examples."""
        named = self.metadata.get("examples")
        return dict(named) if named else {"example": {f.name: f.example() for f in self.features}}

    def params(self) -> dict[str, Any]:
        """``{feature: [labels] | 0}``, as ``GET /api/predict/params`` answers."""
        return {feature.name: feature.kind.params(feature) for feature in self.features}

    def refined(
        self,
        found: Mapping[str, Any],
        flags: Sequence[str] = (),
        typical: Mapping[str, Any] | None = None,
    ) -> "Contract":
        """The contract with the examination's findings: ``found`` by feature, ``flags`` in order.

        ``typical`` has a value for each feature for which the contract has no example.
        """
        near = typical or {}
        by_name = {flag.name: flag for flag in self.flags}
        ordered = [by_name[name] for name in flags if name in by_name]
        return replace(
            self,
            features=tuple(
                replace(_refined(f, found.get(f.name, {})), typical=near.get(f.name, f.typical))
                for f in self.features
            ),
            flags=tuple(ordered) if len(ordered) == len(self.flags) else self.flags,
            one_dimensional=bool(found.get("", {}).get("one_dimensional")),
            records=bool(found.get("", {}).get("records")),
            by_name=bool(found.get("", {}).get("by_name")),
        )


def _refined(feature: Feature, found: Mapping[str, Any]) -> Feature:
    if not found:
        return feature
    changes = {key: found[key] for key in ("missing", "open", "missing_as", "column", "labels")
               if key in found}  # fmt: skip
    for key in ("categories", "truths"):
        if key in found:
            changes[key] = tuple(found[key])
    if "type" in found:
        changes["kind"] = KINDS[found["type"]]
    return replace(feature, **changes)


def build_contract(lookup: Any, flags: Any, metadata: Any = None) -> Contract:
    """The contract from lookup, flags and metadata.

    Raises ArtifactError with one sentence when one of them is not as the contract requires.
    """
    metadata = {} if metadata is None else metadata
    check_version_keys(metadata)
    names, classes = read_flags(flags)
    described_flags = section(metadata, "outputs", names)
    lookup = _named(mapping("lookup.pkl", lookup))
    described = section(metadata, "features", list(lookup))
    if not lookup:
        raise ArtifactError("lookup.pkl is empty: a model needs at least one feature")
    if len(lookup) > MAX_FEATURES:
        raise ArtifactError(f"lookup.pkl has {len(lookup)} features; at most {MAX_FEATURES}")
    features = tuple(
        build_feature(name, values, described.get(name, {})) for name, values in lookup.items()
    )
    clash = {feature.name for feature in features} & set(names)
    if clash:
        raise ArtifactError(f"{min(clash)!r} is both a feature and a flag; rename one")
    outputs = tuple(_flag(name, described_flags.get(name, {})) for name in names)
    return Contract(features, outputs, metadata, None if classes is None else tuple(classes))


def _named(lookup: Mapping[Any, Any]) -> dict[str, Any]:
    """The lookup with its names as texts: the columns of a data frame may be numbers."""
    names = [written("lookup.pkl: a feature name", name) for name in lookup]
    if twin := first_twin(names):
        raise ArtifactError(f"lookup.pkl names the feature {twin!r} twice")
    return dict(zip(names, lookup.values(), strict=True))


def _flag(name: str, described: Mapping[str, Any]) -> Flag:
    where = f"metadata.json: outputs.{name}"
    title, said = words(described, "title", where), words(described, "help", where)
    return Flag(name, title or name, said, words(described, "unit", where))
