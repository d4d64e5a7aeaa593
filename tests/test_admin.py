"""Django admin; its pages are tested with the data that they show."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import display_for_value

from predictor.admin.site import BatcomputerAdminSite
from predictor.keys.models import ApiKey
from predictor.models import Activation, Outcome, Prediction, Refusal


def test_it_opens_with_the_dashboard():
    assert isinstance(admin.site, BatcomputerAdminSite)


@pytest.mark.parametrize(
    "table", [Prediction, Outcome, Refusal, Activation, ApiKey, LogEntry], ids=lambda t: t.__name__
)
def test_it_shows_what_is_kept(table):
    assert admin.site.is_registered(table)


@pytest.mark.parametrize(("name", "title"), [("outcome", "Outcomes"), ("refusal", "Refusals")])
def test_a_list_is_called_by_what_it_lists(admin_client, name, title):
    page = admin_client.get(f"/admin/predictor/{name}/").content.decode()
    assert f"<h1>{title}</h1>" in page


def test_the_lists_write_times_like_the_log():
    moment = datetime(2026, 11, 28, 16, 34, tzinfo=UTC)
    assert display_for_value(moment, "-") == "2026-11-28 16:34"
