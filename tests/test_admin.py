"""Django admin shows what the server keeps; its pages are tested beside what they show."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry

from predictor.admin.site import BatcomputerAdminSite


def test_it_opens_with_the_dashboard():
    assert isinstance(admin.site, BatcomputerAdminSite)


@pytest.mark.parametrize(
    "table",
    [*apps.get_app_config("predictor").get_models(), apps.get_model("keys.ApiKey"), LogEntry],
    ids=lambda table: table.__name__,
)
def test_it_shows_every_table(table):
    assert admin.site.is_registered(table)
