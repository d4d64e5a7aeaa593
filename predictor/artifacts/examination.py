"""The full examination of a version: inspect it, load it, check its arrays, try it out.

This runs the estimator, so an unsigned version is examined in a separate process
(``quarantine.py``).
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from .contract import Contract
from .discovery import Discovery, discover
from .errors import ArtifactError, InvalidInput, ScoringError
from .files import MODEL, VersionFiles
from .flags import in_order_of, looks_swapped, pairing
from .inputs import Row, RowEncoder
from .lookalikes import lookalikes
from .lookup_values import check_text_codes
from .made_with import judge_versions, sklearn_versions
from .metadata import own_keys
from .pickles.blueprint import Made
from .policy import Policy
from .report_store import Report
from .scoring import UNFITTED, Scorer
from .states import check_states, make_constant, make_single_threaded
from .support import read_support
from .trials import indifferent, never_matters, try_rows
from .typical import typical_values
from .unpickling import inspect_estimator, load_estimator, read_contract
from .untrusted import sentence

_MAX_REASON = 1_000  # characters; a library's own message is part of it


def examine(files: VersionFiles, policy: Policy) -> Report:
    """Judge a version; a fault becomes the report's ``reason``, never an exception."""
    started = time.perf_counter()
    found: dict[str, Any] = {"sha256": files.fingerprint}
    try:
        _examine(files, policy, found)
    except ArtifactError as error:
        found["reason"] = sentence(str(error), _MAX_REASON)
    except NotFittedError:
        found["reason"] = UNFITTED
    except Exception as error:  # noqa: BLE001 - a foreign estimator may raise anything at all
        said = sentence(str(error), 200)
        found["reason"] = f"trying the model failed: {type(error).__name__}: {said}"
    return Report(
        **found,
        checked=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - started, 3),
    )


def _examine(files: VersionFiles, policy: Policy, found: dict[str, Any]) -> None:
    contract = read_contract(files, policy)
    found["features"] = [feature.name for feature in contract.features]
    found["flags"] = contract.flag_names
    inspection = inspect_estimator(files.content[MODEL], policy)
    found["names"] = inspection.names
    if isinstance(inspection.root, Made):
        found["estimator"] = _described(inspection.root)
    versions = sklearn_versions(files.content[MODEL], inspection)
    found["versions"] = {"scikit-learn": ", ".join(versions)} if versions else {}
    # before the list of names, which differs between versions of scikit-learn
    found["warnings"] = [*judge_versions(versions, policy), *lookalikes(contract)]
    if keys := list(own_keys(contract.metadata)):
        found["warnings"].append(f"metadata.json has keys of your own: {', '.join(keys[:10])}")
    if inspection.refusal:
        raise ArtifactError(f"{MODEL} {inspection.refusal}")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        estimator = load_estimator(MODEL, files.content[MODEL], policy, inspection)
        check_states(estimator)
        make_single_threaded(estimator)
        make_constant(estimator)
        _try_out(files, contract, estimator, found)


def _try_out(
    files: VersionFiles, contract: Contract, estimator: Any, found: dict[str, Any]
) -> None:
    """Find out what the contract leaves open, then score rows that it allows.

    Raises NotFittedError for an estimator that was not fitted, and ArtifactError.
    """
    discovery = discover(contract, estimator)
    classes = getattr(estimator, "classes_", None)
    several = [] if classes is None or isinstance(classes, list) else [str(c) for c in classes]
    flags = _flags(contract, several)
    contract, scorer = _settled(contract, estimator, discovery, flags)
    read_support(files, contract)
    found |= {
        "flags": contract.flag_names,
        "kinds": discovery.kinds,
        "trial": list(scorer.trial),
        "scores": scorer.kind,
        "shortcut": scorer.has_shortcut,
        "typical": typical_values(contract, scorer, discovery.rows, discovery.middles),
        "pairing": pairing(contract.flag_names, scorer.classes),
    }
    if looks_swapped(contract.flag_names, scorer.classes):
        found["warnings"].append(f"the flags may be swapped: {'; '.join(found['pairing'])}")
    found["warnings"] += discovery.notes
    found["notes"] = try_rows(scorer, contract, discovery.tried())
    found["warnings"] += indifferent(scorer, contract)


def _flags(contract: Contract, classes: Sequence[str]) -> list[str]:
    names = contract.flag_names
    if contract.classes is None and len(classes) != len(names):
        return names
    return in_order_of(names, contract.classes, classes)


def _settled(
    contract: Contract, estimator: Any, discovery: Discovery, flags: Sequence[str]
) -> tuple[Contract, Scorer]:
    """The contract with the findings, and a scorer; values may be missing if one was scored."""
    for feature in contract.features:
        check_text_codes(feature, found=feature.name in discovery.spelt)
    refined, scorer = _first_scorer(contract, estimator, discovery, flags)
    if coded := list(_fitted_on_codes(refined, scorer, discovery)):
        for name in coded:
            discovery.kinds[name]["labels"] = discovery.coded[name]
        refined, scorer = _first_scorer(contract, estimator, discovery, flags)
    for place, feature in enumerate(refined.features):
        if feature.name not in discovery.maybe_missing or feature.missing:
            continue
        if "missing" in feature.said:
            continue
        one = {**discovery.kinds, feature.name: {**discovery.kinds.get(feature.name, {}),
                                                 "missing": True}}  # fmt: skip
        trial = (*scorer.trial[:place], None, *scorer.trial[place + 1 :])
        try:
            tried = contract.refined(one, flags)
            Scorer(tried, estimator, False, {}, [scorer.trial]).score([trial])
        except (ArtifactError, ScoringError):
            continue
        discovery.note(feature.name, missing=True)
    refined = contract.refined(discovery.kinds, flags)
    _check_examples(refined)
    return refined, Scorer(refined, estimator, None, discovery.values, [scorer.trial])


def _fitted_on_codes(contract: Contract, scorer: Scorer, discovery: Discovery) -> Iterator[str]:
    """Features whose codes change the estimator's answer while their labels do not."""
    for place, feature in enumerate(contract.features):
        codes = list(discovery.coded.get(feature.name, {}).values())
        labels = list((feature.labels or {}).values())
        if not codes or not never_matters(scorer, place, labels):
            continue
        if not never_matters(scorer, place, codes):
            yield feature.name


def _first_scorer(
    contract: Contract, estimator: Any, discovery: Discovery, flags: Sequence[str]
) -> tuple[Contract, Scorer]:
    refined = contract.refined(discovery.kinds, flags)
    rows = [*_examples(refined), *discovery.rows]
    try:
        return refined, Scorer(refined, estimator, False, discovery.values, rows)
    except ArtifactError:
        # an owner's own transformer may take columns by name without recording the names
        named = contract.refined({**discovery.kinds, "": {"by_name": True}}, flags)
        if refined.one_dimensional or refined.records or hasattr(estimator, "feature_names_in_"):
            raise
        with suppress(ArtifactError):
            scorer = Scorer(named, estimator, False, discovery.values, rows)
            discovery.note("", by_name=True)
            return named, scorer
        raise


def _examples(contract: Contract) -> Iterator[Row]:
    """The rows of the version's own cases."""
    encoder = RowEncoder(contract)
    for item in contract.examples.values():
        try:
            yield encoder.encode(item)
        except InvalidInput:
            continue  # the case may leave out a feature that is found to be optional later


def _check_examples(contract: Contract) -> None:
    encoder = RowEncoder(contract)
    for name, item in contract.metadata.get("examples", {}).items():
        try:
            encoder.encode(item)
        except InvalidInput as invalid:
            raise ArtifactError(f"metadata.json: examples.{name}: {invalid}") from invalid


def _described(thing: Any) -> str:
    """``Pipeline(StandardScaler, LogisticRegression)``."""
    if not isinstance(thing, Made):
        return f"a {type(thing).__name__}"
    inner = []
    for key in ("steps", "transformers", "estimators", "estimator", "base_estimator"):
        value = thing.attribute(key)
        pairs = value if isinstance(value, list) else [value]
        members = [p[1] if isinstance(p, tuple) and len(p) > 1 else p for p in pairs]
        inner += [member.cls.name for member in members if isinstance(member, Made)]
    return f"{thing.cls.name}({', '.join(inner)})" if inner else thing.cls.name
