"""The console's form, made from the contract: no field or label is written by hand."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from predictor.artifacts.addresses import case_from, parameter
from predictor.artifacts.contract import Contract, Feature
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.kinds import NUMBERS, UNKNOWN, WHOLE
from predictor.artifacts.texts import text_of
from predictor.artifacts.version import ModelVersion


class Selector(forms.CharField):
    """One feature's field; ``template`` is the partial that draws its control."""

    def __init__(self, feature: Feature, identity: str) -> None:
        choices = feature.choices()
        super().__init__(
            label=feature.title,
            help_text=feature.help or _help(feature),
            initial=None if feature.default is None else text_of(feature.default),
            required=False,  # the contract's encoder says what is missing, in its own words
            widget=forms.TextInput({"id": identity}),
        )
        self.feature = feature
        self.choices = [(text_of(value), shown) for value, shown in choices or []]
        self.blank = UNKNOWN if feature.missing else "—"
        self.step = 1 if feature.kind is WHOLE else "any"
        closed = choices is not None and not feature.open
        self.template = f"batclient/controls/{'choice' if closed else feature.kind.widget}.html"


class CaseForm(forms.Form):
    """One field per feature. What is valid, the contract's own encoder says."""

    def __init__(self, contract: Contract, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data)
        self._contract = contract
        for position, feature in enumerate(contract.features):
            self.fields[feature.name] = Selector(feature, f"case-{position}")

    def item(self) -> dict[str, Any]:
        """The case as a request item, numbers as numbers."""
        return case_from(self._contract, self.data)

    def add_prefix(self, field_name: str) -> str:
        """A feature may be called like a field of the page's own."""
        return parameter(field_name)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under the titles of their groups, in lookup order."""
        return [
            (title, [self[feature.name] for feature in features])
            for title, features in groupby(self._contract.features, key=lambda f: f.group)
        ]

    def add_errors(self, invalid: InvalidInput) -> None:
        """Show what the contract refused beside the fields it names."""
        for error in invalid.errors:
            self.add_error(error.field if error.field in self.fields else None, error.message)


def linked_form(model: ModelVersion, query: Mapping[str, str]) -> CaseForm:
    """The form as a link sets it: the rest at its defaults, what the link says wrongly marked."""
    given = case_from(model.contract, query)
    if not given:
        return CaseForm(model.contract)
    features = model.contract.features
    preset = {f.name: f.default for f in features if f.default is not None} | given
    texts = {parameter(name): text_of(value) for name, value in preset.items()}
    form = CaseForm(model.contract, texts)
    try:
        model.encoder.encode({f.name: f.example() for f in features} | given)
    except InvalidInput as invalid:
        form.add_errors(invalid)
    return form


def _help(feature: Feature) -> str:
    """What a person cannot see of what may be typed."""
    if feature.open:
        return _("From the list, or another.")
    bounds = (feature.minimum, feature.maximum, feature.earliest or None, feature.latest or None)
    bounded = any(bound is not None for bound in bounds) or feature.kind is NUMBERS
    return _sentence(feature.span()) if bounded and feature.choices() is None else ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
