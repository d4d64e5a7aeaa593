"""Evidence against a version, and the retraining that follows."""

from django.db import models


class Alarm(models.Model):
    """Evidence against a version, recorded once for each decision that it concerns."""

    class Kind(models.TextChoices):
        TRIAL_WORSE = "trial worse", "this candidate is proven worse"
        ACTIVE_WORSE = "active worse", "this active version is proven worse"
        FAILING = "failing", "it fails to answer"
        PROMISE = "promise", "it does not keep its probabilities"
        DRIFT = "drift", "what is asked of it has drifted"

    time = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=16, choices=Kind)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the version's files")
    decision = models.BigIntegerField(
        default=0, help_text="id of the activation or trial it is about; 0: none was made"
    )
    figures = models.CharField(max_length=500, help_text="what was found")
    done = models.CharField(max_length=500, blank=True, help_text="what followed by itself")
    alerted = models.DateTimeField(null=True, help_text="when people were alerted; else empty")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()  # admin shows them in the story of a model
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "model", "sha256", "decision"], name="alarm_once"
            )
        ]

    def __str__(self) -> str:
        done = f"; {self.done}" if self.done else ""
        return f"{self.model} {self.version}: {self.get_kind_display()}: {self.figures}{done}"


class Retraining(models.Model):
    """A request to retrain a model; one per model files and reason."""

    class State(models.TextChoices):
        WAITING = "waiting", "waits to be sent"
        SENT = "sent", "was sent"
        RUNNING = "running", "is being trained"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    time = models.DateTimeField(auto_now_add=True)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64, help_text="that no longer serves")
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the version's files")
    reason = models.CharField(max_length=16, help_text="kind of the alarm, or person")
    figures = models.CharField(max_length=500, blank=True, help_text="what was found")
    by = models.CharField(max_length=200, help_text="who asked")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    claimed = models.DateTimeField(null=True, help_text="when a process began to send it")
    sent = models.DateTimeField(null=True)
    run = models.CharField(max_length=500, blank=True, help_text="id or address of the training")
    finished = models.DateTimeField(null=True)
    result = models.CharField(max_length=500, blank=True, help_text="what came of it, or why not")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["model", "sha256", "reason"], name="retraining_once")
        ]

    def __str__(self) -> str:
        result = f": {self.result}" if self.result else ""
        return f"request {self.pk} to train {self.model} again {self.get_state_display()}{result}"

    @property
    def token(self) -> str:
        """Identifies repeated deliveries of the same request: 64 characters at most."""
        return f"retrain-{self.pk}-{self.model}"[:64]
