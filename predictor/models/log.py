"""The log: predictions, what really happened, and what people wrote about them."""

from django.db import models


class Prediction(models.Model):
    """One answer of the server: a row of the log. Only predictor.log.writer writes it."""

    class Source(models.TextChoices):
        API = "api", "API"
        PAGE = "page", "page"
        CSV = "csv", "CSV"

    id = models.UUIDField(primary_key=True, editable=False, help_text="UUIDv7: sorts by time")
    time = models.DateTimeField(help_text="the id's own time, for readers; ranges go by the id")
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, help_text="fingerprint of the version's files")
    inputs = models.JSONField(help_text="what was asked, in the caller's words")
    scores = models.JSONField(help_text="what was answered, a number per flag")
    top_flag = models.CharField(max_length=500, help_text="the flag with the highest score")
    duration = models.FloatField(
        help_text="milliseconds from parsed request to scores, of all its items"
    )
    source = models.CharField(max_length=8, choices=Source)
    caller = models.CharField(
        max_length=64, blank=True, help_text="name of the API key, or the salted hash of an address"
    )
    reference = models.CharField(max_length=200, blank=True, help_text="the caller's own")
    # null, because SQLite adds a nullable column without copying the log
    trace = models.CharField(  # noqa: DJ001
        max_length=32, blank=True, null=True, help_text="the id in the caller's traceparent"
    )
    items = models.PositiveIntegerField(
        null=True, help_text="answered at once, with the same duration; of older releases unknown"
    )
    top_score = models.FloatField(
        null=True, help_text="the top flag's; of older releases filled in by upkeep"
    )
    score_step = models.IntegerField(
        null=True, help_text="the top score's (log/steps.py); of older releases filled in by upkeep"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["model", "version", "-id"], name="prediction_by_version"),
            models.Index(fields=["top_flag", "-id"], name="prediction_by_flag"),
            models.Index(
                fields=["reference", "-id"], name="prediction_with_reference",
                condition=models.Q(reference__gt=""),
            ),
            models.Index(fields=["caller", "-id"], name="prediction_by_caller"),
            # sorted by step; includes the score, so that sorting by it does not read the table
            models.Index(fields=["score_step", "id", "top_score"], name="prediction_by_step"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.model} {self.version}: {self.top_flag}"


class Outcome(models.Model):
    """What really happened in one prediction's case, reported later. The last report counts."""

    prediction = models.OneToOneField(Prediction, models.CASCADE, primary_key=True)
    model = models.CharField(max_length=64, help_text="the prediction's, for a quick look-up")
    version = models.CharField(max_length=64)
    flag = models.CharField(max_length=500, help_text="the flag that came true")
    time = models.DateTimeField(auto_now=True, help_text="when it was reported")
    # null, because SQLite adds nullable columns without copying the table
    happened = models.DateTimeField(null=True, help_text="when it happened, as the caller says")
    note = models.CharField(  # noqa: DJ001
        max_length=500, blank=True, null=True, help_text="the caller's own words"
    )
    by = models.CharField(  # noqa: DJ001
        max_length=64, blank=True, null=True, help_text="who reported it"
    )

    class Meta:
        indexes = [
            models.Index(fields=["model", "version", "-prediction"], name="outcome_by_version")
        ]

    def __str__(self) -> str:
        return self.flag


class EarlierOutcome(models.Model):
    """An outcome that was reported before the current one (Outcome)."""

    prediction = models.ForeignKey(Prediction, models.CASCADE, related_name="earlier_outcomes")
    flag = models.CharField(max_length=500, help_text="the flag that was said to have come true")
    time = models.DateTimeField(help_text="when it was reported")
    happened = models.DateTimeField(null=True, help_text="when it happened, as the caller says")
    note = models.CharField(max_length=500, blank=True, help_text="the caller's own words")
    by = models.CharField(max_length=64, blank=True, help_text="who reported it")

    class Meta:
        ordering = ["id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.flag


class Note(models.Model):
    """A person's note on one prediction: "wrong because…". Notes are added, never changed."""

    prediction = models.ForeignKey(Prediction, models.CASCADE, related_name="notes")
    text = models.CharField(max_length=500)
    by = models.CharField(
        max_length=200, blank=True, help_text="name of an administrator; empty: by the console"
    )
    time = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.text


class IdempotencyKey(models.Model):
    """A caller's key for a prediction request, and the id of its first answer."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="of caller and key")
    request = models.CharField(max_length=64, help_text="fingerprint of what was asked")
    first = models.UUIDField(db_index=True, help_text="the first answer's id; the others follow")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.first)


class Refusal(models.Model):
    """How often requests had one fault on one day, for instance an unknown label."""

    day = models.DateField()
    kind = models.CharField(max_length=32)
    model = models.CharField(max_length=64, blank=True)
    field = models.CharField(max_length=100, blank=True)
    value = models.CharField(max_length=100, blank=True, help_text="the unknown label, cut short")
    count = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["-day", "-count"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "kind", "model", "field", "value"], name="refusal_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.field} {self.value}: {self.count}".replace("  ", " ")
