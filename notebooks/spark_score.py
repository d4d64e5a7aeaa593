# Databricks notebook source
# MAGIC %md
# MAGIC # Scores for a table of any size
# MAGIC
# MAGIC Scores a table with one version of any model, on the executors, through the same
# MAGIC `predictor.artifacts` that the server uses: a row that the API would refuse gets no scores,
# MAGIC and the API's own sentence in the column `error`. Equal rows are scored once. The reasons
# MAGIC are summed at the end, and the job fails when too many rows were refused.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `version` | folder of the version, such as `/Volumes/…/models/crime/1.0.0` |
# MAGIC | `source` | the table's files; its columns carry the names of the features |
# MAGIC | `output` | where the scored table goes; must not exist |
# MAGIC | `format` | `delta`, `parquet` or `csv` |
# MAGIC | `refused_at_most` | share of rows without scores above which the job fails |
# MAGIC
# MAGIC A missing version is fetched from Azure Blob Storage with the settings `AZURE_STORAGE_…`.

# COMMAND ----------

import os
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from predictor.registry.publication import fetch_missing
from training.parameters import job_parameters
from training.spark import ERROR, refusals, score

spark = SparkSession.builder.getOrCreate()
job = job_parameters(
    globals().get("dbutils"),
    version="models/crime/1.0.0",
    source="cases",
    output="scored",
    format="parquet",
    refused_at_most=0.01,
)


def read(place):
    """The table in ``place``."""
    options = {"header": True, "inferSchema": True}  # for CSV; the other formats know
    return spark.read.format(job["format"]).options(**options).load(place)


# COMMAND ----------

fetch_missing(Path(job["version"]), os.environ)
scored = score(read(job["source"]), Path(job["version"]))
scored.write.format(job["format"]).options(header=True).save(job["output"])

# COMMAND ----------

written = read(job["output"])
total, refused = written.agg(F.count("*"), F.count(ERROR)).first()
print(f"{total:,} rows written to {job['output']}, {refused:,} of them without scores")
for reason, rows in refusals(written)[:20]:
    print(f"{rows:>12,}  {reason}")
if total and refused / total > job["refused_at_most"]:
    raise RuntimeError(
        f"{refused / total:.1%} of the rows have no scores, "
        f"{job['refused_at_most']:.1%} are allowed (refused_at_most)"
    )
