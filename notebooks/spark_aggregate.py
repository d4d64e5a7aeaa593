# Databricks notebook source
# MAGIC %md
# MAGIC # Figures from any number of years
# MAGIC
# MAGIC Counts the street-level files of data.police.uk on a cluster and writes the same figures as
# MAGIC `python -m training.aggregate` does on one machine: about 90 million crimes since 2010
# MAGIC become a few hundred thousand rows. Each file is one piece of work, counted by the same
# MAGIC code, so a broken file is named with its line here too.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `paths` | folders of `YYYY-MM-<force>-street.csv` files, separated by commas |
# MAGIC | `figures` | where they go, `.csv` or `.csv.gz`; a Volume on Databricks |

# COMMAND ----------

from pathlib import Path

from pyspark.sql import SparkSession

from training.figures import Cell, write_figures
from training.parameters import job_parameters
from training.spark import aggregate

spark = SparkSession.builder.getOrCreate()
job = job_parameters(globals().get("dbutils"), paths="downloads", figures="outcome-counts.csv.gz")

# COMMAND ----------

figures = {
    Cell(*row[:-1]): row["count"] for row in aggregate(spark, job["paths"].split(",")).collect()
}
write_figures(Path(job["figures"]), figures)
print(f"{sum(figures.values()):,} crimes, {len(figures):,} figures written to {job['figures']}")
