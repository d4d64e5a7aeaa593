"""A long log, for measurements: rows as varied as real ones."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.models import ROOT

# Writes rows as varied as real ones, and outcomes for some.
FILL = """
from django.db import connection
from predictor.log.writer.store import connect_store
from predictor.models import Outcome, Prediction
from tests.log.entries import many

store, chunk = connect_store(), []
for row in many({rows}):
    chunk.append(row)
    if len(chunk) == 5_000:
        store.insert(chunk, None)
        chunk.clear()
store.insert(chunk, None)
newest = Prediction.objects.order_by("-id").values_list("id", "model", "version", "top_flag")
Outcome.objects.bulk_create(
    [Outcome(prediction_id=i, model=m, version=v, flag=f) for i, m, v, f in newest[:{rows} // 20]],
    batch_size=500,
)
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
"""


def fill(environment: dict[str, str], rows: int) -> None:
    """Record ``rows`` predictions, and outcomes of the last twentieth of them."""
    run(environment, FILL.format(rows=rows))


def run(environment: dict[str, str], script: str) -> str:
    """The output of ``script`` in Django's shell."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def in_shell(environment: dict[str, str], module: str, *arguments: object) -> Any:
    """The result of ``measure`` of ``module`` in Django's shell, read from JSON."""
    script = (
        f"import json; from {module} import measure; print(json.dumps(measure(*{arguments!r})))"
    )
    return json.loads(run(environment, script))
