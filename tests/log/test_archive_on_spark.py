"""Spark comes to admin's own figures from the archive of the same rows; needs pyspark and Java."""

import ast
import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from predictor.log.accuracy import measure_accuracy
from predictor.log.drift import measure_drift
from predictor.log.writer.store import Store
from predictor.models import Outcome
from predictor.serving.current import serving
from tests import bundles
from tests.log.entries import entry
from tests.training.test_spark import run_on_spark

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("java") is None, reason="needs Java 17 or newer"),
]
EVEN = dict.fromkeys(bundles.CITIES, 1 / 3)
ASK = """
from pathlib import Path
from pyspark.sql import SparkSession
from predictor.artifacts.version import load_version
from training.spark_monitor import monitor
found = monitor(SparkSession.builder.getOrCreate(), {archive!r}, load_version(Path({version!r})))
drift = [(d.population, d.subject, d.psi, d.p_value, d.answers, d.drifted) for d in found.drift]
print("FOUND", drift)
a = found.accuracy
print("FOUND", (a.count, a.accuracy, a.log_loss, a.brier, a.calibration_error))
"""


def rows(chance):
    """Requests, arrays and files of some days; the first thousand differ from the later ones."""
    start = datetime.now(UTC) - timedelta(days=6)
    for number in range(1900):  # no more than admin looks at
        share = chance.random()
        source, items = chance.choice([("api", 1), ("page", 1), ("api", 4), ("csv", 300)])
        yield entry(
            start + timedelta(minutes=2 * number),
            number,
            inputs={
                "city": bundles.CITIES[min(2, int(chance.expovariate(1)))],
                "villain": chance.choice(["Joker", "Penguin"] if number > 1200 else ["Joker"]),
                "hour": chance.randrange(24),
            },
            scores={"escapes": share, "jailed": 1 - share},
            source=source,
            items=items,
        )


def test_it_works(models_dir, tmp_path):
    pytest.importorskip("pyspark")
    folder = bundles.install(models_dir, metadata=bundles.METADATA | {"baseline": {"city": EVEN}})
    chance = random.Random(5)
    logged = list(rows(chance))
    Store(connection).insert(logged, None)
    Outcome.objects.bulk_create(
        Outcome(prediction_id=row[0], model="arkham", version="1.0.0",
                flag=chance.choice(bundles.FLAGS))
        for row in logged[::7]
    )  # fmt: skip
    call_command(
        "archive_predictions",
        str(tmp_path / "archive"),
        "--before",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    done = run_on_spark(ASK.format(archive=str(tmp_path / "archive"), version=str(folder)))
    said = [line.removeprefix("FOUND ") for line in done.stdout.splitlines() if "FOUND" in line]
    assert len(said) == 2, done.stderr[-3000:]
    drift, accuracy = map(ast.literal_eval, said)
    ours = [
        (one.population, one.subject, one.psi, one.p_value, one.answers, one.drifted)
        for one in measure_drift(serving().active("arkham"))
    ]
    assert len(ours) == 6  # files only with a baseline: fewer than a thousand came first
    assert {one[:2]: one[4:] for one in drift} == {one[:2]: one[4:] for one in ours}
    for one in ours:
        (same,) = (other for other in drift if other[:2] == one[:2])
        assert same[2:4] == pytest.approx(one[2:4], rel=1e-9, abs=1e-15)
    figures = measure_accuracy("arkham", "1.0.0")
    assert accuracy == pytest.approx(
        (figures.count, figures.accuracy, figures.log_loss, figures.brier,
         figures.calibration_error), rel=1e-9,
    )  # fmt: skip
