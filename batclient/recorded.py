"""A case from the log: the printout of an earlier answer."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from batclient.printout import CaseLine, GivenAnswer, Printout, print_given
from batclient.sentences import value_in_language
from predictor.artifacts.addresses import address_of
from predictor.artifacts.contract import Contract, Flag
from predictor.artifacts.errors import InvalidInput
from predictor.artifacts.inputs import Row
from predictor.artifacts.version import ModelVersion
from predictor.log import writer
from predictor.log.history import Case
from predictor.log.privacy import is_kept_as_it_is, is_pseudonym


def recorded(row: Case, model: ModelVersion) -> Printout:
    """The printout of ``row``, in the words of the model's version that answers now.

    Inputs are hidden that the log omitted or hashed, or that the settings omit or hash now.
    """
    contract = model.contract
    known = shown_inputs(row, contract)
    case = [
        CaseLine(
            f.name,
            f.title,
            value_in_language(f, known[f.name]) if f.name in known else _("not shown"),
        )
        for f in contract.features
    ]
    encoded = row_of(row, model)
    given = GivenAnswer(
        id=str(row.id),
        moment=row.time.astimezone(UTC),
        version=row.version,
        case=case,
        flags=_flags(row, contract),
        scores=row.scores,
        support=model.support_of(encoded) if encoded else None,
        query=address_of(known),
    )
    return print_given(model, given)


def shown_inputs(row: Case, contract: Contract) -> Mapping[str, Any]:
    """The inputs in the model's order, without those that a link's reader may not see."""
    return {
        f.name: row.inputs[f.name]
        for f in contract.features
        if f.name in row.inputs
        and not is_pseudonym(row.inputs[f.name])
        and is_kept_as_it_is(row.model, f.name)
    }


def row_of(row: Case, model: ModelVersion) -> Row | None:
    """The encoded inputs, if the same version answers now and all inputs are shown."""
    if row.sha256 != model.sha256:
        return None
    try:
        return model.encoder.encode(dict(shown_inputs(row, model.contract)))
    except InvalidInput:
        return None


def case_address(request: HttpRequest, model: ModelVersion, printout: Printout) -> str:
    """The link to a printout: its case's page, or a form with the same case."""
    if printout.id and writer.is_kept() and settings.CASE_PAGES != "off":
        return request.build_absolute_uri(reverse("case", args=[model.name, printout.id]))
    form = reverse("model-console", args=[model.name])
    return request.build_absolute_uri(f"{form}?{printout.query}")


def _flags(row: Case, contract: Contract) -> list[Flag]:
    """The flags of the answer; flags that only an earlier version had, by their names."""
    known = [flag for flag in contract.flags if flag.name in row.scores]
    names = {flag.name for flag in known}
    return known + [Flag(name, name) for name in row.scores if name not in names]
