# Databricks notebook source
# MAGIC %md
# MAGIC # Drift and accuracy from the archive of the log
# MAGIC
# MAGIC The same figures for a version as in admin, from the files of
# MAGIC `manage.py archive_predictions`: for a log that is too large for one database, or for days
# MAGIC that were deleted there.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `version` | folder of the version, such as `/Volumes/…/models/crime/1.0.0` |
# MAGIC | `archive` | folder of the archive |
# MAGIC | `until` | the moment to look back from, such as `2026-11-27`; empty: now |
# MAGIC | `threshold` | `DRIFT_THRESHOLD` of the server |

# COMMAND ----------

from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from predictor.artifacts.version import load_version
from training.parameters import job_parameters
from training.spark_monitor import monitor

spark = SparkSession.builder.getOrCreate()
job = job_parameters(
    globals().get("dbutils"),
    version="models/crime/1.0.0",
    archive="archive",
    until="",
    threshold="0.25",
)

# COMMAND ----------

until = datetime.fromisoformat(job["until"]).replace(tzinfo=UTC) if job["until"] else None
found = monitor(
    spark, job["archive"], load_version(Path(job["version"])), until,
    threshold=float(job["threshold"]),
)  # fmt: skip

# COMMAND ----------

for one in found.drift:
    mark = "DRIFT " if one.drifted else ""
    print(
        f"{one.subject}: {mark}PSI {one.psi:.3f} (p {one.p_value:.3g}), {one.answers:,} "
        f"{one.population} against {one.against}"
    )
if not found.drift:
    print("too few answers to measure")

# COMMAND ----------

if found.accuracy is None:
    print("no outcomes")
else:
    print(
        f"{found.accuracy.count:,} outcomes: accuracy {found.accuracy.accuracy:.4f}, "
        f"log loss {found.accuracy.log_loss}, Brier {found.accuracy.brier}, "
        f"calibration error {found.accuracy.calibration_error}"
    )
