"""No text of a model or a caller is a formula in any file from this server."""

import ast
import csv
import io
import itertools
import re
import zipfile
from contextlib import closing
from pathlib import Path
from unicodedata import category
from uuid import UUID

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from sklearn.dummy import DummyClassifier

from predictor.evidence.cases import read_cases
from predictor.log.history import kept_reference
from predictor.log.writer.store import Store
from predictor.models import Outcome, Prediction
from tests import bundles
from tests.log.entries import entry
from tests.routes import paths

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
UNSEEN = ("Z", "C")  # categories of characters that show nothing, and that a spreadsheet may drop
NAMES = [  # names that a model may give its parts
    '=HYPERLINK("http://x")', "+1+1", "-1-1", "@SUM(A1)",
    "\uff1d1+1", "\uff0b1+1", "\uff0d1-1", "\uff20SUM(A1)",
    "\ufeff=1+1",  # a spreadsheet takes the mark away
    "a;=1+1",  # where a semicolon parts columns, this is two cells
    'a;"=1+1;b',  # and there these quotes are around the second cell
    "'=1+1",
]  # fmt: skip
REFERENCES = [
    *NAMES, "\t=1+1", "\r=1+1", "\n=1+1", "a\t=1+1", "a\n=1+1", " =1+1", "  -1-1", "\xa0@SUM(A1)",
    "\u3000\uff1d1+1", "\u200b=1+1", "\0=1+1", "\x1f+1+1", "a; =1+1", 'a\n"=1+1\nb',
    'a\t""\uff0b1+1\tb',
]  # fmt: skip
FLAGS = [f"{name} comes" for name in NAMES]
LOOKUP = {name: {f"{name} or so": 0, "plain": 1} for name in NAMES}
ITEM = {name: next(iter(labels)) for name, labels in LOOKUP.items()}


@pytest.fixture
def hostile(models_dir, admin_client):
    """A server whose model, and whose callers, call everything by a formula; its administrator."""
    columns = [[0] * len(NAMES)] * len(FLAGS)
    estimator = DummyClassifier().fit(columns, range(len(FLAGS)))
    titles = {
        "features": {n: {"title": n} for n in NAMES},
        "outputs": {f: {"title": f} for f in FLAGS},
    }
    bundles.install(models_dir, estimator=estimator, lookup=LOOKUP, flags=FLAGS, metadata=titles)
    scores = dict.fromkeys(FLAGS, 0.5)
    rows = [
        entry(
            number=n,
            reference=text,
            caller=text,
            inputs=dict.fromkeys(NAMES, text),
            scores=scores,
        )
        for n, text in enumerate(REFERENCES)
    ]
    Store(connection).insert(rows, None)
    cache.clear()
    return admin_client


def csv_text(rows, separator=","):
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


def posted(client, path, separator=","):
    plain = dict.fromkeys(NAMES, "plain")
    body = csv_text([plain, plain.values()], separator).encode()
    response = client.post(path, body, content_type="text/csv")
    assert response.status_code == 200, response.content
    answer = b"".join(response.streaming_content).decode()
    first, *lines = csv.reader(io.StringIO(answer, newline=""), delimiter=separator)
    assert first[: len(NAMES)] == NAMES, "the caller's own columns come back as they are"
    # the server's additions as a separate file
    return [csv_text([line[len(NAMES) :] for line in (first, *lines)], separator)]


def downloaded(client, path, query=None):
    response = client.get(path, query)
    assert response.status_code == 200
    return b"".join(response).decode("utf-8-sig")


def maps(client):
    pairs = zip(NAMES, NAMES[1:] + NAMES[:1], strict=True)
    return [
        downloaded(client, "/arkham/map.csv", {"rows": rows, "columns": columns, "flag": flag})
        for (rows, columns), flag in zip(pairs, FLAGS, strict=True)
    ]


def reported(client):
    """The columns that the server adds to a file of outcomes."""
    known = Prediction.objects.values_list("id", flat=True)
    rows = [("id", "outcome"), *zip(map(str, known), NAMES, strict=False)]
    response = client.post(OUTCOMES, csv_text(rows).encode(), content_type="text/csv")
    assert response.status_code == 200, response.content
    lines = list(csv.reader(io.StringIO(response.content.decode(), newline="")))
    assert [line[:2] for line in lines] == [list(row) for row in rows]
    return [csv_text([line[2:] for line in lines])]


OUTCOMES = "/api/predictions/outcomes"
EXPORT = "/admin/predictor/prediction/export/"
CSV_EXITS = {
    "csv-template": lambda client: [downloaded(client, "/arkham/template.csv")],
    "wall-map-csv": maps,
    "predictor_prediction_export csv": lambda client: [downloaded(client, f"{EXPORT}csv/")],
    "predict": lambda client: posted(client, "/api/predict"),
    "model-predict": lambda client: posted(client, "/api/models/arkham/predict"),
    "bulk": lambda client: posted(client, "/arkham/bulk"),
    "outcomes": reported,
}
OTHER_EXITS = {"predictor_prediction_export xlsx"}


def is_formula(cell):
    seen = re.sub(r"^[^\t\r\n]+", without_unseen, cell)
    return seen.startswith(STARTS) and not re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)


def without_unseen(start):
    return "".join(itertools.dropwhile(lambda c: category(c).startswith(UNSEEN), start[0]))


def live_cells(text):
    """The cells that a spreadsheet would run, whichever separator its language has."""
    for separator in ",;\t":
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield from filter(is_formula, line)


@pytest.mark.slow
@pytest.mark.parametrize("exit_name", CSV_EXITS)
def test_no_cell_is_a_formula(hostile, exit_name):
    files = CSV_EXITS[exit_name](hostile)
    assert any("HYPERLINK" in text for text in files), "the file shows what it must not run"
    assert [cell for text in files for cell in live_cells(text)] == []


def test_no_cell_of_a_workbook_is_a_formula(hostile):
    response = hostile.get(f"{EXPORT}xlsx/")
    with zipfile.ZipFile(io.BytesIO(b"".join(response))) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets" in name]
    assert "HYPERLINK" in "".join(sheets)
    assert not re.search("<f[ >/]", "".join(sheets))
    kinds = set(re.findall("<c( [^>]*)?>", "".join(sheets)))
    assert kinds <= {"", ' t="inlineStr"'}


# --- that these are all the exits there are ---

SPREADSHEET = re.compile(r"csv|tab-separated|spreadsheet|excel|\.(xlsx?|ods|tsv)\b", re.IGNORECASE)


def is_spreadsheet(response):
    headers = response.get("Content-Type", "") + response.get("Content-Disposition", "")
    return response.status_code == 200 and bool(SPREADSHEET.search(headers))


@pytest.mark.slow
def test_these_are_all_exits(hostile, admin_user):
    bodies = [
        csv_text([ITEM, dict.fromkeys(ITEM, "plain").values()]).encode(),
        csv_text([("reference", "outcome"), ("case", "jailed")]).encode(),
    ]
    asked = [(hostile.get, {})]
    asked += [(hostile.post, {"content_type": "text/csv", "data": body}) for body in bodies]
    found = set()
    names = {name for name, _ in paths()}
    assert {"console", "params", "predictor_outcome_import", *CSV_EXITS, *OTHER_EXITS} <= names
    for name, path in paths():
        for ask, data in asked:
            hostile.force_login(admin_user)  # one of the routes logs out
            with closing(ask(path, **data)) as response:
                if is_spreadsheet(response):
                    found.add(name)
    assert found == {*CSV_EXITS, *OTHER_EXITS}


def test_no_action_of_admin_is_an_exit(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    actions = {name for each in admin.site._registry.values() for name in each.get_actions(request)}
    assert actions <= {"delete_selected", "cleanup_expired_attempts"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.slow
def test_one_room_reads_and_writes_files_of_spreadsheets():
    own = {"csv", "zipfile", "openpyxl", "xlsxwriter"}
    product = [
        p for room in ("batclient", "batcomputer", "predictor") for p in (ROOT / room).rglob("*.py")
    ]
    found = {path.relative_to(ROOT).parts[:2] for path in product if own & set(imported(path))}
    assert found == {("predictor", "spreadsheets")}


def test_few_write_cells_as_they_are():
    """To a caller's own columns, which come back as they came; or where no file is written."""
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "predictor").rglob("*.py")
        if "verbatim_lines(" in path.read_text() and path.parent.name != "spreadsheets"
    ]
    own_columns = ["api/bulk/outputs.py", "api/bulk/run.py", "api/csv_files.py", "api/outcomes.py"]
    examples = ["api/examples.py", "api/schema.py"]
    assert sorted(found) == sorted(f"predictor/{path}" for path in (*own_columns, *examples))


# --- escaped text is read back ---


@pytest.mark.slow
def test_a_template_that_is_sent_back_is_understood(hostile):
    before = Prediction.objects.count()
    template = hostile.get("/arkham/template.csv").content
    response = hostile.post("/api/predict", template, content_type="text/csv")
    assert response.status_code == 200, response.content
    answer = b"".join(response.streaming_content)
    assert Prediction.objects.count() == before + 1
    assert Prediction.objects.order_by("-id").first().inputs == ITEM
    again = hostile.post("/api/predict", answer, content_type="text/csv")
    assert "would be overwritten" in again.json()["detail"], "the escaped flags are known, too"


def test_an_export_that_is_sent_back_as_outcomes_is_understood(hostile, tmp_path, capsys):
    exported = csv.DictReader(io.StringIO(downloaded(hostile, f"{EXPORT}csv/"), newline=""))
    rows = [(row["reference"], row["top_flag"]) for row in exported]
    path = tmp_path / "outcomes.csv"
    known = [
        row
        for row, text in zip(rows, reversed(REFERENCES), strict=True)
        if text == kept_reference(text)  # as all are that came from a caller
    ]
    path.write_text(csv_text([("reference", "outcome"), *known]), newline="")
    call_command("import_outcomes", path)
    assert Outcome.objects.count() == len(known) >= 8


OUTCOME_NAMES = sorted([
    "<50", ">50", "=50", "+50", "-50", "'+60", "''", "@50", " 50", "50 ", 'say "50"', "a,=50",
    "a;-50", "\U0001f987", "\uff1d50", "\ufeff50", "-5", "1e5", "'", "null", "id", "\u200b=50",
])  # fmt: skip


@pytest.fixture
def asked(models_dir, admin_client):
    """Ids of predictions, one for each flag; a file of them as an answer names it, by separator."""
    estimator = DummyClassifier().fit([[0]] * len(OUTCOME_NAMES), OUTCOME_NAMES)
    bundles.install(
        models_dir, estimator=estimator, lookup={"hour": 0}, flags=OUTCOME_NAMES, metadata={}
    )
    cache.clear()

    def ask(separator=",", codec="utf-8"):
        body = csv_text([["no", "hour"], *([n, n] for n in range(len(OUTCOME_NAMES)))], separator)
        answered = admin_client.post(
            "/api/predict?reference=no", body.encode(codec), content_type="text/csv"
        )
        assert answered.status_code == 200, answered.content
        text = b"".join(answered.streaming_content).decode(codec)
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        assert len(header) == 2 + len(OUTCOME_NAMES)
        ids = [*Prediction.objects.order_by("-id").values_list("id", flat=True)][: len(rows)][::-1]
        return list(map(str, ids)), header[2:]

    return ask


def in_csv(client, ids, said, separator=",", codec="utf-8"):
    body = csv_text([["id", "outcome"], *zip(ids, said, strict=True)], separator).encode(codec)
    answered = client.post(OUTCOMES, body, content_type="text/csv")
    assert answered.status_code == 200, answered.content
    rows = csv.DictReader(
        io.StringIO(answered.content.decode(codec), newline=""), delimiter=separator
    )
    return [row["result"] or row["detail"] for row in rows]


def in_json(client, ids, said):
    reports = [{"id": one, "outcome": flag} for one, flag in zip(ids, said, strict=True)]
    return [row["result"] for row in client.post(OUTCOMES, reports, "application/json").json()]


def on_record(ids):
    known = dict(Outcome.objects.values_list("prediction_id", "flag"))
    return [known[UUID(one)] for one in ids]


@pytest.mark.parametrize(
    ("separator", "codec"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16")]
)
def test_any_flag_comes_back_as_an_outcome(asked, admin_client, separator, codec, tmp_path):
    """As an answer names it, or as an export does: in a CSV, in JSON, alone."""
    ids, named = asked(separator, codec)
    accepted = ["accepted"] * len(ids)
    assert in_csv(admin_client, ids, named, separator, codec) == accepted
    assert on_record(ids) == OUTCOME_NAMES
    ids, named = asked(separator, codec)
    assert in_json(admin_client, ids, named) == accepted
    assert on_record(ids) == OUTCOME_NAMES
    ids, named = asked(separator, codec)
    for one, flag in zip(ids, named, strict=True):
        answered = admin_client.post(
            f"/api/predictions/{one}/outcome", {"outcome": flag}, "application/json"
        )
        assert answered.status_code == 200, answered.content
    assert on_record(ids) == OUTCOME_NAMES
    ids, _ = asked(separator, codec)
    assert in_json(admin_client, ids, OUTCOME_NAMES) == accepted
    assert on_record(ids) == OUTCOME_NAMES
    exported = csv.DictReader(io.StringIO(downloaded(admin_client, f"{EXPORT}csv/"), newline=""))
    known = {row["id"]: row["outcome"] for row in exported}
    Outcome.objects.all().delete()
    assert in_csv(admin_client, known.keys(), known.values()) == ["accepted"] * len(known)
    assert on_record(ids) == OUTCOME_NAMES
    call_command("export_truth", "arkham", tmp_path / "truth.csv")
    cases = read_cases((tmp_path / "truth.csv").read_bytes(), ["hour"], OUTCOME_NAMES)
    assert [sum(counts) for counts in zip(*cases.counts, strict=True)] == [4] * len(OUTCOME_NAMES)
