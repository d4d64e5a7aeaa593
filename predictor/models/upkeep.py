"""Periodic work, and the figures that it keeps."""

from django.db import models


class Upkeep(models.Model):
    """When a periodic task is due, who does it now, and its last result (log/upkeep.py)."""

    name = models.CharField(max_length=100, primary_key=True)
    title = models.CharField(max_length=100, help_text="as people read it")
    due = models.DateTimeField(help_text="when it is to be done next")
    leased_until = models.DateTimeField(null=True, help_text="a process does it now; else empty")
    by = models.CharField(max_length=200, blank=True, help_text="who did it last, or does it now")
    started = models.DateTimeField(null=True, help_text="when that began")
    finished = models.DateTimeField(null=True, help_text="when it was last done")
    failed = models.BooleanField(default=False, help_text="whether that went wrong")
    result = models.CharField(max_length=1000, blank=True, help_text="what came of it, or why not")

    class Meta:
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.title}: {self.result}"


class TrafficFigures(models.Model):
    """The traffic of a period that is over (log/traffic_parts.py)."""

    start = models.DateTimeField()
    seconds = models.IntegerField(help_text="length of that part")
    time = models.DateTimeField(help_text="when the log was looked at")
    figures = models.JSONField(help_text="counts by model, flag, kind and duration")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["seconds", "start"], name="traffic_figures_once")
        ]

    def __str__(self) -> str:
        return f"{self.seconds} s from {self.start}"


class DriftFigures(models.Model):
    """How far a version's inputs and answers had drifted on one day (log/drift.py)."""

    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the version's files")
    day = models.DateField()
    time = models.DateTimeField(help_text="when it was last measured on that day")
    figures = models.JSONField(help_text="one object per subject and who asked")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["sha256", "model", "day"], name="drift_figures_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.version} on {self.day}"
