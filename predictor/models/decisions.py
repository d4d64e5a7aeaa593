"""Which version of a model answers: activations, verdicts and trials."""

from itertools import zip_longest

from django.db import models
from django.utils import timezone


class Activation(models.Model):
    """One decision about which version of a model answers; the newest decision applies."""

    class Kind(models.TextChoices):
        ACTIVATION = "activation", "activation"
        ROLLBACK = "rollback", "rollback"

    time = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ACTIVATION)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    sha256 = models.CharField(
        max_length=64, blank=True, db_default="", help_text="fingerprint of the files it had"
    )
    previous = models.CharField(max_length=64, blank=True, help_text="what answered before")
    by = models.CharField(max_length=200, help_text="who decided")
    reason = models.CharField(max_length=500, blank=True, help_text="why")
    refused = models.BooleanField(
        default=False, help_text="the version failed its check, so nothing was switched"
    )
    problem = models.TextField(blank=True, help_text="why the version cannot be served")

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("activate_version", "Can activate and roll back versions")]
        indexes = [models.Index(fields=["model", "-id"], name="activation_by_model")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model} {self.version}"

    @classmethod
    def newest(cls) -> dict[str, int]:
        """The id of each model's newest row, including refused decisions."""
        rows = cls.objects.order_by().values_list("model").annotate(models.Max("id"))
        return dict(rows)

    @classmethod
    def chain(cls, model: str) -> list[str]:
        """The versions left by the activations and rollbacks so far; the last one should answer.

        A rollback returns to the ones before it, so never to a version that was itself rolled back,
        or that could not be served.
        """
        chain: list[Activation] = []
        for row in cls.objects.filter(model=model, refused=False).order_by("id"):
            if not chain and row.previous:
                chain.append(cls(version=row.previous))
            _drop_undone(chain, row)
            if not chain or chain[-1].version != row.version:
                chain.append(row)
        return [row.version for row in chain]

    @classmethod
    def fingerprint(cls, model: str, version: str) -> str:
        """The fingerprint of the version's files at its last activation; empty if unknown."""
        rows = cls.objects.filter(model=model, version=version, refused=False)
        newest = rows.values_list("sha256", flat=True).first()
        return newest or ""

    @classmethod
    def report(cls, model: str, version: str, problem: str) -> None:
        """Record why the chosen version cannot be served; empty: it can be served again."""
        newest = cls.objects.filter(model=model, refused=False).first()
        if newest and newest.version == version and newest.problem != problem:
            newest.problem = problem
            newest.save(update_fields=["problem"])


def _drop_undone(chain: list[Activation], decision: Activation) -> None:
    """Drop from the decisions in force those that a new one undoes, or that were never served."""
    if decision.kind == Activation.Kind.ROLLBACK:
        while chain and chain[-1].version != decision.version:
            _drop(chain, chain[-1].version)
    elif chain and chain[-1].problem:
        chain.pop()


def _drop(chain: list[Activation], version: str) -> None:
    """Drop every decision for ``version``; neighbours for one version become one."""
    left = [row for row in chain if row.version != version]
    chain[:] = [
        row for row, after in zip_longest(left, left[1:])
        if after is None or after.version != row.version
    ]  # fmt: skip


class Verdict(models.Model):
    """The verdict of a judgement after training; the newest verdict on a version's files applies.

    A version never changes, so this cannot go into its metadata, which has the first verdict.
    """

    time = models.DateTimeField(auto_now_add=True)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the version's files")
    result = models.CharField(max_length=16, help_text="passed, refused or not judged")
    found = models.JSONField(help_text="rules, cases, checks, and against which version")
    by = models.CharField(max_length=200, help_text="who asked for it")

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["model", "sha256", "-id"], name="verdict_by_files")]

    def __str__(self) -> str:
        return f"{self.model} {self.version}: {self.result}"


class Trial(models.Model):
    """A trial: for a while, a candidate answers a share of callers, but no pages.

    A separate table, since a server of an older release would obey a trial among the Activations.
    """

    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the version's files")
    share = models.FloatField(help_text="of callers, from 0 to 1")
    started = models.DateTimeField(auto_now_add=True)
    ends = models.DateTimeField(null=True, help_text="when it ends by itself; else empty")
    by = models.CharField(max_length=200, help_text="who began it")
    reason = models.CharField(max_length=500, blank=True, help_text="why")
    ended = models.DateTimeField(null=True, help_text="when it was ended; else empty")
    ended_by = models.CharField(max_length=200, blank=True)
    ended_because = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()  # admin shows them in the story of a model
        constraints = [
            models.UniqueConstraint(
                fields=["model"], condition=models.Q(ended=None), name="trial_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.version} for {self.percent} % of callers"

    @property
    def percent(self) -> str:
        """The trial's share of callers."""
        return f"{100 * self.share:g}"

    @property
    def is_over(self) -> bool:
        """Whether the candidate no longer answers any caller."""
        return self.ended is not None or (self.ends is not None and self.ends <= timezone.now())

    @classmethod
    def running(cls) -> dict[str, "Trial"]:
        """The running trial of each model that has one."""
        now = timezone.now()
        rows = cls.objects.filter(models.Q(ends=None) | models.Q(ends__gt=now), ended=None)
        return {row.model: row for row in rows}
