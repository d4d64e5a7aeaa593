"""A candidate's answers to logged requests, and the requests to collect them."""

from django.db import models

from .log import Prediction


class Shadow(models.Model):
    """A candidate's answer to a request that another version answered (trials/shadow.py)."""

    # no constraint: if a prediction is pruned meanwhile, the replay must go on
    prediction = models.ForeignKey(
        Prediction, models.CASCADE, related_name="shadows", db_constraint=False
    )
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64, help_text="of the candidate")
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the candidate's files")
    scores = models.JSONField(null=True, help_text="its answer; empty where it has none")
    refused = models.CharField(max_length=500, blank=True, help_text="why it has none")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["sha256", "prediction"], name="shadow_once")]

    def __str__(self) -> str:
        return f"{self.model} {self.version} for {self.prediction_id}"


class ShadowRun(models.Model):
    """A person's request to replay the log with a candidate (trials/runs.py)."""

    time = models.DateTimeField(auto_now_add=True)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64, help_text="of the candidate")
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the candidate's files")
    since = models.DateTimeField(null=True, help_text="not what is older; empty: all of the log")
    by = models.CharField(max_length=200, help_text="who asked for it")
    total = models.PositiveIntegerField(null=True, help_text="rows to ask; empty until it begins")
    asked = models.PositiveIntegerField(default=0, help_text="rows asked so far")
    finished = models.DateTimeField(null=True)
    failed = models.BooleanField(default=False, help_text="whether it ended before all were asked")
    result = models.TextField(blank=True, help_text="what it found, or why it ended; in lines")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()  # admin shows them in the story of a model
        constraints = [
            models.UniqueConstraint(
                fields=["model", "sha256"], condition=models.Q(finished=None),
                name="shadow_run_one_at_a_time",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"shadow of {self.model} {self.version}"
