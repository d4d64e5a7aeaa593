"""The tables of the database."""

from django.db import models
from django.utils import timezone


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
    def standing(cls, model: str) -> list[str]:
        """The versions left by the activations and rollbacks so far; the last one should answer.

        A rollback returns to the ones before it, so never to a version that was itself rolled back,
        or that could not be served.
        """
        chain: list[tuple[str, str]] = []  # (version, problem)
        for row in cls.objects.filter(model=model, refused=False).order_by("id"):
            if not chain and row.previous:
                chain.append((row.previous, ""))
            if row.kind == cls.Kind.ROLLBACK:
                while chain and chain[-1][0] != row.version:
                    chain.pop()
            elif chain and chain[-1][1]:
                chain.pop()
            if not chain or chain[-1][0] != row.version:
                chain.append((row.version, row.problem))
        return [version for version, _ in chain]

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


class IdempotencyKey(models.Model):
    """A caller's key for a prediction request, and the id of its first answer."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="of caller and key")
    request = models.CharField(max_length=64, help_text="fingerprint of what was asked")
    first = models.UUIDField(db_index=True, help_text="the first answer's id; the others follow")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.first)


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
