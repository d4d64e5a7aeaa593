"""Registers the pages with Django."""

from django.apps import AppConfig


class BatclientConfig(AppConfig):
    """The console."""

    name = "batclient"
    verbose_name = "Batcomputer console"
