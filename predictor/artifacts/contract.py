"""The contract: what a model asks for and answers, in human words.

Made from ``lookup.pkl`` and ``flags.pkl``, told apart further by ``metadata.json``. The API's
validation, its OpenAPI document, the page's form and the CSV dialect all read this one object.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral, Real
from typing import Any

from .errors import ArtifactError
from .names import check_model_name, check_name
from .untrusted import MAX_TEXT, MAX_WORDS, is_clean

Number = int | float
MAX_FEATURES = 1_000
MAX_LABELS = 10_000
MAX_FLAGS = 10_000


@dataclass(frozen=True)
class Feature:
    """One input of the model: one of its ``labels``, or (without labels) a number."""

    name: str
    labels: Mapping[str, Number] | None = None  # label → code, in lookup order
    title: str = ""
    help: str = ""
    unit: str = ""
    group: str = ""  # features that bear the same group stand together in a form
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    default: str | Number | None = None
    named: Mapping[Number, str] = field(default_factory=dict)  # shown names of numbers: 1 → January
    label_titles: Mapping[str, str] = field(default_factory=dict)  # shown names of labels
    fallback: str | None = None  # the label that stands in for those the model does not know
    unlisted: tuple[str, ...] = ()  # what people look for and the model does not know
    passed_as: str = "code"  # what the estimator gets of a label: its "code" or the "label" itself

    def span(self) -> str:
        """The numbers that are allowed, in words: ``a whole number from 1 to 12``."""
        kind = "a whole number" if self.integer else "a number"
        low, high = self.minimum, self.maximum
        if low is not None and high is not None:
            return f"{kind} from {low:g} to {high:g}"
        if low is not None:
            return f"{kind}, {low:g} or more"
        if high is not None:
            return f"{kind}, {high:g} or less"
        return kind

    def choices(self) -> list[tuple[str | Number, str]] | None:
        """(value, shown name) of every possible value, or None when there is no short list."""
        if self.labels is not None:
            return [(label, self.label_titles.get(label, label)) for label in self.labels]
        if self.named:
            return list(self.named.items())
        return None

    def example(self) -> str | Number:
        """A valid value: the default where there is one."""
        if self.labels is not None:
            given = isinstance(self.default, str) and self.default in self.labels
            return str(self.default) if given else next(iter(self.labels))
        if isinstance(self.default, int | float):
            return self.default
        value = next((bound for bound in (self.minimum, self.maximum) if bound is not None), 0)
        return math.ceil(value) if self.integer else value

    def shown(self, value: str | Number) -> str:
        """``value`` as people read it: ``10`` → ``October``."""
        if isinstance(value, str):
            return self.label_titles.get(value, value)
        return self.named.get(value, f"{value:g}")


@dataclass(frozen=True)
class Flag:
    """One output of the model."""

    name: str
    title: str
    help: str = ""


@dataclass(frozen=True)
class Contract:
    """A model's inputs in the estimator's column order, its outputs in the estimator's order."""

    features: tuple[Feature, ...]
    flags: tuple[Flag, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def flag_names(self) -> list[str]:
        return [flag.name for flag in self.flags]

    def params(self) -> dict[str, Any]:
        """``{feature: [labels] | 0}``, as ``GET /api/predict/params`` answers."""
        return {f.name: 0 if f.labels is None else list(f.labels) for f in self.features}


def build_contract(lookup: Any, flags: Any, metadata: Any = None) -> Contract:
    """Bind the three descriptions together.

    Raises ArtifactError with one sentence when any of them is not what the contract says.
    """
    metadata = {} if metadata is None else metadata
    _check_metadata(metadata)
    names = _flag_names(flags)
    described_flags = _section(metadata, "outputs", names)
    described = _section(metadata, "features", list(_mapping("lookup.pkl", lookup)))
    if not lookup:
        raise ArtifactError("lookup.pkl is empty: a model needs at least one feature")
    if len(lookup) > MAX_FEATURES:
        raise ArtifactError(f"lookup.pkl has {len(lookup)} features; at most {MAX_FEATURES}")
    features = tuple(
        _feature(_text("lookup.pkl: a feature name", name), values, described.get(name, {}))
        for name, values in lookup.items()
    )
    clash = {feature.name for feature in features} & set(names)
    if clash:
        raise ArtifactError(f"{min(clash)!r} is both a feature and a flag; rename one")
    outputs = tuple(_flag(name, described_flags.get(name, {})) for name in names)
    return Contract(features, outputs, metadata)


def _flag(name: str, described: Mapping[str, Any]) -> Flag:
    where = f"metadata.json: outputs.{name}"
    title, words = _words(described, "title", where), _words(described, "help", where)
    return Flag(name, title=title or name, help=words)


def _feature(name: str, values: Any, described: Mapping[str, Any]) -> Feature:
    where = f"metadata.json: features.{name}"
    labels = None if _is_number(values) else _labels(name, values)
    shown = _mapping(f"{where}.labels", described.get("labels", {}))
    passed_as = described.get("passed_as", "code")
    if passed_as not in ("code", "label") or (passed_as == "label" and labels is None):
        raise ArtifactError(f'{where}.passed_as must be "code", or "label" for a labelled feature')
    if labels is not None and (unknown := [key for key in shown if key not in labels]):
        raise ArtifactError(f"{where}.labels names {unknown[0]!r}, which lookup.pkl does not have")
    integer = described.get("integer", False)
    if not isinstance(integer, bool):
        raise ArtifactError(f"{where}.integer must be true or false")
    minimum, maximum = _bound(described, "minimum", where), _bound(described, "maximum", where)
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ArtifactError(f"{where}: minimum {minimum:g} is above maximum {maximum:g}")
    if (
        integer
        and minimum is not None
        and maximum is not None
        and math.ceil(minimum) > math.floor(maximum)
    ):
        raise ArtifactError(f"{where}: there is no whole number from {minimum:g} to {maximum:g}")
    fallback, unlisted = _fallback(described, labels, where)
    titles = {key: _text(f"{where}.labels.{key}", value) for key, value in shown.items()}
    default = described.get("default")
    if isinstance(default, bool) or not isinstance(default, str | int | float | None):
        raise ArtifactError(f"{where}.default must be a label or a number")
    feature = Feature(
        name=name,
        labels=labels,
        title=_words(described, "title", where) or _humanised(name),
        help=_words(described, "help", where),
        unit=_words(described, "unit", where),
        group=_words(described, "group", where),
        minimum=minimum,
        maximum=maximum,
        integer=integer,
        default=default,
        named={} if labels is not None else _named(titles, where),
        label_titles={} if labels is None else titles,
        fallback=fallback,
        unlisted=unlisted,
        passed_as=passed_as,
    )
    _check_default(feature, where)
    return feature


def _check_default(feature: Feature, where: str) -> None:
    """A form starts with the default, and the documentation shows it: it must be a valid value."""
    default, low, high = feature.default, feature.minimum, feature.maximum
    if feature.labels is not None:
        good, what = default in (None, *feature.labels), "a label of the feature"
    else:
        good, what = default is None, feature.span()
    if isinstance(default, int | float) and feature.labels is None:
        good = (low is None or low <= default) and (high is None or default <= high)
        good = good and (not feature.integer or float(default).is_integer())
    if not good:
        raise ArtifactError(f"{where}.default is {default!r:.60}, which is not {what}")


def _fallback(
    described: Mapping[str, Any], labels: Mapping[str, Number] | None, where: str
) -> tuple[str | None, tuple[str, ...]]:
    fallback, unlisted = described.get("fallback"), described.get("unlisted", [])
    known = labels or {}
    if fallback is not None and (not isinstance(fallback, str) or fallback not in known):
        raise ArtifactError(f"{where}.fallback is {fallback!r}, which is no label of the feature")
    if not isinstance(unlisted, list):
        raise ArtifactError(f"{where}.unlisted must be a list of names")
    if unlisted and fallback is None:
        raise ArtifactError(f"{where}.unlisted needs a fallback that stands in for them")
    names = tuple(_text(f"{where}.unlisted", name) for name in unlisted)
    if listed := [name for name in names if name in known]:
        raise ArtifactError(f"{where}.unlisted names {listed[0]!r}, which is a label")
    return fallback, names


def _labels(name: str, values: Any) -> dict[str, Number]:
    mapping = _mapping(f"lookup.pkl: {name!r}", values)
    if not mapping:
        raise ArtifactError(f"lookup.pkl: {name!r} has no labels")
    if len(mapping) > MAX_LABELS:
        raise ArtifactError(f"lookup.pkl: {name!r} has {len(mapping)} labels; at most {MAX_LABELS}")
    labels = {}
    for label, code in mapping.items():
        _text(f"lookup.pkl: a label of {name!r}", label)
        if not _is_number(code):
            raise ArtifactError(
                f"lookup.pkl: {name!r} gives label {label!r} a code that is no finite number"
            )
        labels[label] = _plain(code)
    return labels


def _named(titles: Mapping[str, str], where: str) -> dict[Number, str]:
    named: dict[Number, str] = {}
    for key, title in titles.items():
        try:
            number = float(key)
        except ValueError:
            raise ArtifactError(f"{where}.labels names {key!r}, which is not a number") from None
        if not math.isfinite(number):
            raise ArtifactError(f"{where}.labels names {key!r}, which is not a number")
        named[int(number) if number.is_integer() else number] = title
    return named


def _flag_names(flags: Any) -> list[str]:
    if not isinstance(flags, Sequence) or isinstance(flags, str) or not flags:
        raise ArtifactError("flags.pkl must hold a list of output names")
    if len(flags) > MAX_FLAGS:
        raise ArtifactError(f"flags.pkl names {len(flags):,} outputs; at most {MAX_FLAGS:,}")
    names = [_text("flags.pkl: an output name", flag) for flag in flags]
    if twins := [name for name, count in Counter(names).items() if count > 1]:
        raise ArtifactError(f"flags.pkl names {twins[0]!r} twice")
    return names


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, Mapping):
        raise ArtifactError("metadata.json must hold an object")
    for key, check in (("name", check_model_name), ("version", lambda v: check_name("version", v))):
        if key in metadata:
            check(_text(f"metadata.json: {key}", metadata[key]))
    for key in ("title", "description", "created", "sklearn_version", "python_version"):
        _words(metadata, key, "metadata.json")
    for key in ("data", "metrics", "baseline", "files"):
        _mapping(f"metadata.json: {key}", metadata.get(key, {}))


def _section(metadata: Mapping[str, Any], key: str, known: Sequence[str]) -> Mapping[str, Any]:
    section = _mapping(f"metadata.json: {key}", metadata.get(key, {}))
    for name, described in section.items():
        if name not in known:
            raise ArtifactError(
                f"metadata.json: {key} describes {name!r}, which is not in the model"
            )
        _mapping(f"metadata.json: {key}.{name}", described)
    return section


def _mapping(what: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise ArtifactError(f"{what} must be a mapping, not {type(value).__name__}")
    return value


def _text(what: str, value: Any) -> str:
    """A name people will read: not empty, printable, encodable, of sane length."""
    if not isinstance(value, str):
        raise ArtifactError(f"{what} must be text, not {type(value).__name__}")
    if not value.strip():
        raise ArtifactError(f"{what} is empty")
    if len(value) > MAX_TEXT:
        raise ArtifactError(f"{what} is {len(value)} characters long; at most {MAX_TEXT}")
    if not is_clean(value):
        raise ArtifactError(f"{what} has a control character or half a surrogate pair: {value!r}")
    return str(value)


def _words(section: Mapping[str, Any], key: str, where: str) -> str:
    value = section.get(key, "")
    if not isinstance(value, str):
        raise ArtifactError(f"{where}.{key} must be text, not {type(value).__name__}")
    most = MAX_TEXT if key == "title" else MAX_WORDS
    if len(value) > most:
        raise ArtifactError(f"{where}.{key} is {len(value):,} characters long; at most {most:,}")
    if not is_clean(value, breaks="" if key == "title" else "\n\r\t"):
        raise ArtifactError(f"{where}.{key} has a control character or half a surrogate pair")
    return value


def _bound(section: Mapping[str, Any], key: str, where: str) -> float | None:
    value = section.get(key)
    if value is not None and not _is_number(value):
        raise ArtifactError(f"{where}.{key} must be a finite number")
    return None if value is None else _plain(value)


def _is_number(value: Any) -> bool:
    """Whether ``value`` is a finite real number (numpy's scalars register as such; bool is not)."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False


def _plain(value: Any) -> Number:
    return int(value) if isinstance(value, Integral) else float(value)


def _humanised(name: str) -> str:
    """``force_name`` → ``Force name``."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]
