"""The console's form, generated from the contract: no field or label is hard-coded."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.formats import get_format
from django.utils.translation import gettext as _

from batclient.printout import in_figures
from batclient.sentences import (
    choice_in_language,
    in_language,
    span_in_language,
    unknown_in_language,
)
from predictor.artifacts.addresses import case_from, parameter
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.kinds import NUMBER, NUMBERS, WHOLE
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion
from predictor.predictions.opening import opening_case

_DECIMAL = re.compile(r"\s*[+-]?\d*,\d+\s*", re.ASCII)


class Selector(forms.CharField):
    """One feature's field; ``template`` is the partial that draws its control."""

    def __init__(self, feature: Feature, identity: str, opening: Any) -> None:
        choices = feature.choices()
        super().__init__(
            label=feature.title,
            help_text=feature.help,
            initial=text_of(opening),
            required=False,  # the contract's encoder reports missing values
            widget=forms.TextInput({"id": identity}),
        )
        self.feature = feature
        self.choices = [
            (text_of(value), choice_in_language(feature, value, shown))
            for value, shown in choices or []
        ]
        self.blank = unknown_in_language(feature) if feature.missing else "—"
        self.bounds = _bounds(feature)
        self.keys = _keys(feature)
        closed = choices is not None and not feature.open
        self.template = f"batclient/controls/{'choice' if closed else feature.kind.widget}.html"


class CaseForm(forms.Form):
    """One field per feature, validated by the contract's encoder."""

    def __init__(self, contract: Contract, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data)
        self._contract = contract
        opening = opening_case(contract)
        for position, feature in enumerate(contract.features):
            self.fields[feature.name] = Selector(feature, f"case-{position}", opening[feature.name])

    def item(self) -> dict[str, Any]:
        """The case as a request item, numbers as numbers."""
        names = (parameter(f.name) for f in self._contract.features if f.kind in (NUMBER, WHOLE))
        spelt = {name: _with_a_point(self.data[name]) for name in names if name in self.data}
        return case_from(self._contract, {**dict(self.data.items()), **spelt})

    def add_prefix(self, field_name: str) -> str:
        """Prefix the name, since a feature may have the name of one of the page's fields."""
        return parameter(field_name)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under the titles of their groups, in lookup order."""
        banks: dict[str, list[forms.BoundField]] = {}
        for feature in self._contract.features:
            banks.setdefault(feature.group, []).append(self[feature.name])
        return list(banks.items())

    def add_errors(self, invalid: InvalidInput) -> None:
        """Show the contract's errors next to the fields that they name."""
        for error in invalid.errors:
            message = in_language(error.message)
            self.add_error(error.field if error.field in self.fields else None, message)


def linked_form(model: ModelVersion, query: Mapping[str, str]) -> CaseForm:
    """The form with a link's values, invalid ones marked; other fields keep their defaults."""
    given = case_from(model.contract, query)
    if not given:
        return CaseForm(model.contract)
    features = model.contract.features
    preset = opening_case(model.contract) | given
    texts = {parameter(name): text_of(value) for name, value in preset.items()}
    form = CaseForm(model.contract, texts)
    try:
        model.encoder.encode({f.name: f.example() for f in features} | given)
    except InvalidInput as invalid:
        form.add_errors(invalid)
    return form


def _with_a_point(text: str) -> str:
    """A number with a decimal point, in place of the decimal comma of the page's language."""
    comma = get_format("DECIMAL_SEPARATOR")
    return text.replace(",", ".") if comma == "," and _DECIMAL.fullmatch(text) else text


def _keys(feature: Feature) -> str:
    """The phone keyboard (``inputmode``) with all keys that the feature's values need."""
    if feature.minimum is None or feature.minimum < 0:
        return "text"  # some phones' number keyboards lack the minus
    return "numeric" if feature.kind is WHOLE else "decimal"


def _bounds(feature: Feature) -> str:
    """A hint of the allowed values, which the control does not show."""
    if feature.open:
        return _("From the list, or another.")
    if feature.choices() is not None:
        return ""
    if feature.kind in (NUMBER, WHOLE):
        return number_bounds(feature)
    bounded = feature.earliest or feature.latest or feature.kind is NUMBERS
    return _sentence(span_in_language(feature.span())) if bounded else ""


def number_bounds(feature: Feature) -> str:
    """The feature's ``span`` in the page's language."""
    low, high = feature.minimum, feature.maximum
    ends = {
        name: in_figures(end, ".12g")
        for name, end in (("low", low), ("high", high))
        if end is not None
    }
    sentences = {
        ("low", "high"): (_("A number from %(low)s to %(high)s."),
                          _("A whole number from %(low)s to %(high)s.")),
        ("low",): (_("A number, %(low)s or more."), _("A whole number, %(low)s or more.")),
        ("high",): (_("A number, %(high)s or less."), _("A whole number, %(high)s or less.")),
        (): ("", ""),
    }  # fmt: skip
    return sentences[tuple(ends)][feature.kind is WHOLE] % ends


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
