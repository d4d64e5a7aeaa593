"""A case as the log has it: the printout of an answer that was given before."""

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
    """The printout of ``row``, in the words of the version of its model that answers now.

    What the log leaves out or hashes is not shown, nor what the settings say it should.
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
    """What was asked, in the model's order, as far as anyone with the case's number may see it."""
    return {
        f.name: row.inputs[f.name]
        for f in contract.features
        if f.name in row.inputs
        and not is_pseudonym(row.inputs[f.name])
        and is_kept_as_it_is(row.model, f.name)
    }


def row_of(row: Case, model: ModelVersion) -> Row | None:
    """What the model was asked, where the very same version answers now and all of it is shown."""
    if row.sha256 != model.sha256:
        return None
    try:
        return model.encoder.encode(dict(shown_inputs(row, model.contract)))
    except InvalidInput:
        return None


def case_address(request: HttpRequest, model: ModelVersion, printout: Printout) -> str:
    """Where a printout can be seen again: its case's page, or a form with the same case."""
    if printout.id and writer.is_kept() and settings.CASE_PAGES != "off":
        return request.build_absolute_uri(reverse("case", args=[model.name, printout.id]))
    form = reverse("model-console", args=[model.name])
    return request.build_absolute_uri(f"{form}?{printout.query}")


def _flags(row: Case, contract: Contract) -> list[Flag]:
    """The flags that were answered, those of an earlier version by their names."""
    known = [flag for flag in contract.flags if flag.name in row.scores]
    names = {flag.name for flag in known}
    return known + [Flag(name, name) for name in row.scores if name not in names]
