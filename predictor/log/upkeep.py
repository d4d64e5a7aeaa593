"""Periodic work, done by one process of all workers and replicas at a time.

Each task has a database row that says when it is due. The process that changes that row from free
to taken has the task: updating one row is atomic in every database, even behind a pooler, and
needs no session. The holder renews its lease while it works; if it is killed, the row stays taken
until the lease ends.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.models import Q, QuerySet

from predictor.log.alerts import AlertError
from predictor.log.archived_rows import ArchiveError
from predictor.models import Upkeep

logger = logging.getLogger(__name__)

_HOST = socket.gethostname()
_FORGOTTEN = timedelta(days=7)  # the row of a machine that no longer exists
_LEASE = timedelta(minutes=10)  # of a holder that was killed, or cannot reach the database
_RENEWAL = 60.0  # seconds
_RETRY = timedelta(hours=1)  # after a failure


@dataclass(frozen=True)
class Task:
    """A job that is done at regular intervals."""

    name: str
    title: str
    every: timedelta


ARCHIVE = Task("archive", "Archive", timedelta(days=1))
PRUNE = Task("prune", "Retention", timedelta(days=1))
DRIFT = Task("drift", "Drift", timedelta(days=1))
WATCH = Task("watch", "Evidence", timedelta(hours=1))
FIGURES = Task("figures", "Figures", timedelta(hours=1))  # of admin's first page
SCORES = Task("score steps", "Top scores", timedelta(days=1))  # of older releases' rows
SHADOW = Task("shadow", "Shadow", timedelta(days=1))  # earlier when a person starts a comparison
# each machine has its own spool; on a shared volume, each file is locked
REPLAY = Task(f"replay on {_HOST}"[:100], "Spool", timedelta(minutes=10))


def tasks() -> list[Task]:
    """The tasks that the settings enable."""
    archive = [ARCHIVE] if settings.LOG_ARCHIVE else []  # before retention deletes rows
    prune = [PRUNE] if settings.LOG_RETENTION else []
    return [*archive, *prune, DRIFT, WATCH, FIGURES, SCORES, REPLAY, SHADOW]


def is_due() -> bool:
    """Whether a task is due and no process does it. Raises django.db.Error."""
    known = set(Upkeep.objects.values_list("name", flat=True))
    enabled = tasks()
    return not known.issuperset(task.name for task in enabled) or _free(enabled).exists()


def run_due(work: Mapping[Task, Callable[[], str]]) -> list[Upkeep]:
    """Do every due task that no other process has; returns the rows of those done.

    ``work`` does a task and says in a sentence what it did. Raises django.db.Error when the
    database cannot be queried.
    """
    return [_done(task, work[task]) for task in tasks() if _taken(task)]


def make_due(task: Task) -> None:
    """Make the task due now; if a process is doing it at the moment, it is due again."""
    now = datetime.now(UTC)
    Upkeep.objects.update_or_create(
        name=task.name, defaults={"due": now}, create_defaults={"due": now, "title": task.title}
    )


def _free(some: list[Task]) -> QuerySet[Upkeep]:
    """The rows of the tasks that are due and that no process has.

    A time that is too far ahead was written while the clock was wrong, and counts as past: the task
    would else rest until that time.
    """
    now = datetime.now(UTC)
    free = Q(leased_until=None) | Q(leased_until__lte=now) | Q(leased_until__gt=now + 2 * _LEASE)
    due = Q(pk__in=[])
    for task in some:
        is_due = Q(due__lte=now) | Q(due__gt=now + task.every + _LEASE)
        due |= Q(name=task.name) & is_due
    return Upkeep.objects.filter(free & due)


def _taken(task: Task) -> bool:
    """Whether the task is due and is this process's now."""
    now = datetime.now(UTC)
    Upkeep.objects.filter(due__lt=now - _FORGOTTEN).delete()
    Upkeep.objects.get_or_create(name=task.name, defaults={"due": now, "title": task.title})
    who = f"{_HOST}, process {os.getpid()}"
    mine = {"leased_until": now + _LEASE, "started": now, "by": who[:200]}
    return bool(_free([task]).update(**mine))


@contextmanager
def _renewed(task: Task) -> Iterator[None]:
    """Renew the lease from a separate thread, since the task may take hours."""
    ended = Event()

    def renew() -> None:
        while not ended.wait(_RENEWAL):
            until = datetime.now(UTC) + _LEASE
            with suppress(DatabaseFailure):  # tried again in a minute; the lease has ten
                Upkeep.objects.filter(name=task.name).update(leased_until=until)
            connection.close()

    renewing = Thread(target=renew, name="lease", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()


def _done(task: Task, work: Callable[[], str]) -> Upkeep:
    failed, rows = False, Upkeep.objects.filter(name=task.name)
    due = rows.get().due
    try:
        with _renewed(task):
            result = work()
    except (AlertError, ArchiveError, DatabaseFailure, OSError) as error:
        failed, result = True, str(error)
        logger.warning("%s failed: %s", task.title, error)
    except Exception as error:  # on any error the task must be free again
        failed, result = True, repr(error)
        logger.exception("%s failed", task.title)
    else:
        logger.info("%s: %s", task.title, result)
    now = datetime.now(UTC)
    # unless ``make_due`` made it due meanwhile
    rows.filter(due=due).update(due=now + (min(_RETRY, task.every) if failed else task.every))
    rows.update(leased_until=None, finished=now, failed=failed, result=result[:1000])
    return rows.get()
