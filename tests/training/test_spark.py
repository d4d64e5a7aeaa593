"""The Spark notebooks, run in one local session; needs pyspark and Java."""

import csv
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from predictor.artifacts.version import load_version
from tests.servers import BRIEF_JAVA
from tests.training import streets
from tests.training.streets import REPOSITORY
from training.aggregate import aggregate
from training.figures import read_figures

pytestmark = pytest.mark.slow

NOTEBOOKS = [REPOSITORY / "notebooks" / name for name in ("spark_aggregate.py", "spark_score.py")]
CASES = [
    ("Kent Police", "Burglary", 10),
    ("Any force", "Drugs", 1),
    ("Kent Polic", "Burglary", 10),
    ("Kent Police", "Burglary", 13),
]


@pytest.fixture(scope="module", autouse=True)
def java():
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("needs Java 17 or newer")


def run_on_spark(script):
    """Run Python source on a local Spark that can import the project."""
    settings = {
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(REPOSITORY),
        "SPARK_SUBMIT_OPTS": " ".join(BRIEF_JAVA),
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false "
        "--conf spark.sql.shuffle.partitions=2 pyspark-shell",
    }
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


# a notebook with the parameters of a job, as Databricks runs it
RUN = """
import runpy
from tests.training.databricks import Dbutils
runpy.run_path({path!r}, dict(dbutils=Dbutils({parameters!r})))
"""
# a table as Delta has it: months as DECIMAL and as STRING, equal rows, and nulls
TABLE = """
from pathlib import Path
from pyspark.sql import SparkSession
from training.spark import refusals, score
spark = SparkSession.builder.getOrCreate()
version = Path({version!r})
rows = spark.sql(
    "SELECT id, 'Kent Police' AS force, 'Burglary' AS crime, CAST(10 AS DECIMAL(4,1)) AS month "
    "FROM range(300)"
)
for month in ("month", "CAST(CAST(month AS INT) AS STRING)", "' 10 '", "CAST(month AS FLOAT)",
              "IF(id < 5, NULL, month)", "IF(id < 7, 'x' || id, '10.0')", "month + 0.5"):
    table = rows.selectExpr("id", "force", "crime", month + " AS month")
    scored = score(table, version)
    found = scored.selectExpr("count(*)", "count(distinct id)", "count(caughtProb)",
                              "count(distinct caughtProb)").first()
    print("table:", month, scored.columns, list(found), refusals(scored))
plan = scored._jdf.queryExecution().optimizedPlan().toString()
print("plan:", plan.index("MapInPandas") < plan.index("Aggregate"))
"""
# after the notebooks, in their session: the errors of aggregate for a broken file, and for copies
REFUSALS = """
from pyspark.sql import SparkSession
from training.spark import aggregate
for paths in ([{broken!r}], [{raw!r}, {copy!r}], [{renamed!r}], [{empty!r}]):
    try:
        aggregate(SparkSession.builder.getOrCreate(), paths).collect()
    except Exception as error:
        print("refused:", " ".join(str(error).split()))
"""


@pytest.fixture(scope="module")
def results(trained, tmp_path_factory):
    """Both notebooks over one real month, or a small one where the real one is not at hand."""
    folder = tmp_path_factory.mktemp("spark")
    shutil.copytree(trained("crime"), folder / "models/crime/1.0.0")
    _unpack_a_month(folder / "raw")
    shutil.copytree(folder / "raw", folder / "copy")
    streets.write(folder / "broken", streets.rows(("Drugs", "Escaped")))
    (folder / "empty").mkdir()
    for force in ("kent", "kent-copy"):
        streets.write(folder / "renamed", streets.rows(("Drugs", "")), force=force)
    with open(folder / "cases.csv", "w", newline="") as file:
        csv.writer(file).writerows([("force", "crime", "month"), *CASES])
    places = {name: str(folder / name) for name in ("raw", "copy", "renamed", "broken", "empty")}
    parameters = {
        "paths": str(folder / "raw"),
        "figures": str(folder / "figures.csv.gz"),
        "version": str(folder / "models/crime/1.0.0"),
        "source": str(folder / "cases.csv"),
        "output": str(folder / "scored"),
        "format": "csv",
        "refused_at_most": "0.5",
    }
    notebooks = "".join(RUN.format(path=str(path), parameters=parameters) for path in NOTEBOOKS)
    strict = parameters | {"output": str(folder / "again"), "refused_at_most": "0.4"}
    again = RUN.format(path=str(NOTEBOOKS[1]), parameters=strict).replace("\n", "\n    ")
    too_many = f"try:{again}\nexcept RuntimeError as error:\n    print('too many:', error)\n"
    table = TABLE.format(version=parameters["version"])
    run = run_on_spark(notebooks + too_many + table + REFUSALS.format(**places))
    assert run.returncode == 0, run.stderr[-3000:]
    return folder, run.stdout


def _unpack_a_month(folder):
    real = streets.find_real_archive()
    if real is None:
        lines = streets.rows(("Drugs", ""), ("Drugs", ""), ("Burglary", streets.NO_SUSPECT))
        streets.write(folder, lines)
        return
    with zipfile.ZipFile(real) as archive:
        month = [n for n in archive.namelist() if n.startswith("2025-10/") and n.endswith("v")]
        archive.extractall(folder, sorted(month)[:12])  # one session in CI: keep it short


def test_it_counts_what_one_machine_counts(results):
    folder, said = results
    figures = read_figures(folder / "figures.csv.gz")
    assert figures == aggregate([folder / "raw"], progress=False)
    assert list(figures) == sorted(figures)
    assert f"{sum(figures.values()):,} crimes, {len(figures):,} figures written" in said


def test_it_scores_what_the_server_scores(results):
    folder, said = results
    model = load_version(folder / "models/crime/1.0.0")
    rows = [
        row
        for part in sorted((folder / "scored").glob("part-*.csv"))
        for row in csv.DictReader(part.read_text().splitlines())
    ]
    rows.sort(key=lambda r: CASES.index((r["force"], r["crime"], int(r["month"]))))
    assert len(rows) == len(CASES)
    for row in rows[:2]:
        item = {"force": row["force"], "crime": row["crime"], "month": int(row["month"])}
        expected = model.score([model.encoder.encode(item)])[0]
        assert [float(row[f]) for f in model.contract.flag_names] == pytest.approx(expected)
        assert not row["error"]
    assert not rows[2]["caughtProb"]
    assert "did you mean" in rows[2]["error"]
    assert "month: expected a whole number from 1 to 12, not 13" in rows[3]["error"]
    assert "4 rows written" in said
    assert "2 of them without scores" in said


def test_refusals_are_summed_by_reason_and_too_many_fail_the_job(results):
    _, said = results
    assert "           1  force: … is not a known label" in said
    assert "           1  month: expected a whole number from 1 to 12\n" in said
    assert "too many: 50.0% of the rows have no scores, 40.0% are allowed" in said


def test_numbers_of_any_column_type_are_understood_and_equal_rows_scored_once(results):
    _, said = results
    columns = "['id', 'force', 'crime', 'month', 'notCaughtProb', 'caughtProb', 'error']"
    tables = [line for line in said.splitlines() if line.startswith("table: ")]
    assert len(tables) == 7
    for line in tables[:4]:
        assert line.endswith(f"{columns} [300, 300, 300, 1] []"), line
    assert "[300, 300, 295, 1] [('month: expected a whole number" in tables[4]
    assert "[300, 300, 293, 1] [('month: expected a whole number" in tables[5]
    assert "[300, 300, 0, 0] [('month: expected a whole number" in tables[6]
    assert "plan: True" in said


def test_it_rejects_what_one_machine_rejects(results):
    _, said = results
    broken, twins, renamed, none = [
        line for line in said.splitlines() if line.startswith("refused:")
    ]
    assert "2025-01-kent-street.csv, line 2: unknown outcome 'Escaped'" in broken
    assert "is there twice" in twins
    assert "2025-01-kent-copy-street.csv and " in renamed
    assert "both hold the crimes of Kent Police in 2025-01" in renamed
    assert "no file named YYYY-MM-<force>-street.csv" in none
