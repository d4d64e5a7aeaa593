"""Every door that takes a CSV understands the same ones, and refuses the rest in a sentence."""

import codecs
import csv
import io
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from predictor.api.bulk import journal as journals
from predictor.api.bulk.errors import BulkError
from predictor.api.bulk.run import Files, score_file
from predictor.evidence.answers import names_in
from predictor.evidence.cases import TWIN, read_cases
from predictor.models import Outcome, Prediction
from predictor.serving.current import serving
from predictor.spreadsheets.dialect import Dialect
from predictor.spreadsheets.reading import CsvFile, UnreadableCSV
from tests.bundles import ITEM
from tests.routes import paths
from tests.servers import ROOT
from tests.sweeps import swept

pytestmark = pytest.mark.django_db
NOTE = 'a "quoted" note, with; all\tseparators\r\nand a line break'


class Predictions:
    """A route that answers a CSV with the flags appended."""

    def __init__(self, path, client):
        self._path, self._client = path, client

    def table(self):
        return ["note", *ITEM], [[NOTE, *ITEM.values()], ["Blüdhaven", *ITEM.values()]]

    def send(self, body):
        """(number of accepted rows, errors)."""
        self.response = self._client.post(self._path, body, content_type="text/csv")
        if self.response.status_code == 200:
            self.answer = b"".join(self.response.streaming_content)
            return Prediction.objects.count(), ""
        assert self.response.status_code == 400
        assert self.response["Content-Type"] == "application/problem+json"
        assert not Prediction.objects.exists()
        return 0, self.response.json()["detail"]


class Outcomes:
    """Every importer of a CSV of outcomes; bad rows do not stop the others."""

    def __init__(self, post):
        self._ids = [post(ITEM)["X-Prediction-Id"] for _ in range(2)]

    def table(self):
        notes = (NOTE, "Blüdhaven")
        rows = [[n, i, "jailed"] for n, i in zip(notes, self._ids, strict=True)]
        return ["remark", "id", "outcome"], rows


class Reports(Outcomes):
    """The API's route for outcomes, which takes all rows of a file or none."""

    def __init__(self, post, client):
        super().__init__(post)
        self._client = client

    def send(self, body):
        answer = self._client.post("/api/predictions/outcomes", body, content_type="text/csv")
        if answer.status_code == 200:
            return Outcome.objects.count(), ""
        assert answer.status_code == 400
        return Outcome.objects.count(), answer.json()["detail"]


class Preview(Predictions):
    """The page's preview of a file."""

    def send(self, body):
        answer = self._client.post(self._path, body, content_type="text/csv").json()
        if "html" not in answer:
            return 0, answer["detail"]
        return answer["html"].count('<th scope="row">') - len(answer["errors"]), answer["errors"]


class ScoredFile(Predictions):
    """``manage.py score_file``, but for the options of the command."""

    def __init__(self, folder):
        self._files = Files(folder / "in.csv", folder / "out.csv")

    def send(self, body):
        files, model = self._files, serving().active()
        files.source.write_bytes(body)
        journal = journals.begin(files.source, model, "")
        try:
            score_file(model, files, journal, "Gordon", lambda *_: None)
        except (BulkError, UnreadableCSV) as error:
            return Prediction.objects.count(), str(error)
        return journal.scored, files.refused.read_text() if journal.refused else ""


class Admin(Outcomes):
    """The form in admin."""

    def __init__(self, post, client):
        super().__init__(post)
        operator = User.objects.create_user("alfred", is_staff=True)
        operator.groups.add(Group.objects.get(name="operator"))
        client.force_login(operator)
        self._client = client

    def send(self, body):
        file = SimpleUploadedFile("truth.csv", body)
        page = self._client.post("/admin/predictor/outcome/import/", {"file": file}, follow=True)
        assert page.status_code == 200
        return Outcome.objects.count(), unescape(page.content.decode())


class Command(Outcomes):
    """``manage.py import_outcomes``."""

    def __init__(self, post, tmp_path, capsys):
        super().__init__(post)
        self._path, self._capsys = tmp_path / "truth.csv", capsys

    def send(self, body):
        self._path.write_bytes(body)
        try:
            call_command("import_outcomes", self._path)
        except CommandError as error:
            return Outcome.objects.count(), f"{error} {self._capsys.readouterr().err}"
        return Outcome.objects.count(), ""


PREDICTIONS = {
    "predict": "/api/predict",
    "model-predict": "/api/models/arkham/predict",
    "bulk": "/arkham/bulk",
}


DOORS = {
    "bulk-preview": lambda given: Preview("/arkham/bulk/preview", given("client")),
    "outcomes": lambda given: Reports(given("post"), given("client")),
    "predictor_outcome_import": lambda given: Admin(given("post"), given("client")),
    "import_outcomes": lambda given: Command(given("post"), given("tmp_path"), given("capsys")),
    "score_file": lambda given: ScoredFile(given("tmp_path")),
}


@pytest.fixture(params=[*PREDICTIONS, *DOORS])
def door(request, arkham, client):
    if request.param in PREDICTIONS:
        return Predictions(PREDICTIONS[request.param], client)
    return DOORS[request.param](request.getfixturevalue)


@pytest.mark.slow
def test_these_are_all_doors(arkham, admin_client, admin_user, monkeypatch):
    """A route that reads a CSV is one of them, and nothing else in the server reads one."""
    opened = set()

    def note(self, file, wanted, *, strict=True):
        opened.add(asked[0])
        raise UnreadableCSV("it was tried")

    monkeypatch.setattr(CsvFile, "__init__", note)
    for asked in paths():
        admin_client.force_login(admin_user)  # one of the routes logs out
        admin_client.post(asked[1], b"a,b\r\n1,2\r\n", content_type="text/csv")
        admin_client.post(asked[1], {"file": SimpleUploadedFile("a.csv", b"a,b\r\n1,2\r\n")})
    assert opened == {*PREDICTIONS, *DOORS} - {"import_outcomes", "score_file"}


def test_these_are_all_readers():
    """Of predictions, of outcomes, and of cases that a model is judged by."""
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("predictor", "batclient", "batcomputer", "training")
        for path in (ROOT / folder).rglob("*.py")
        if " CsvFile(" in path.read_text()
    }
    readers = ("api/csv_rows.py", "log/outcome_files.py", "evidence/cases.py")
    assert found == {f"predictor/{path}" for path in readers}


@pytest.fixture(params=PREDICTIONS)
def predictions(request, arkham, client):
    return Predictions(PREDICTIONS[request.param], client)


def written(table, separator=",", end="\r\n"):
    header, rows = table
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows([header, *rows])
    return text.getvalue()


ENCODINGS = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with its mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 LE": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16 BE": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
}
SEPARATORS = {"commas": ",", "semicolons": ";", "tabs": "\t"}


# Every separator and every encoding
DIALECTS = [
    ("commas", "UTF-8"), ("semicolons", "UTF-8 with its mark"), ("tabs", "UTF-16 LE"),
    ("semicolons", "UTF-16 BE"), ("tabs", "UTF-8"),
]  # fmt: skip
each_dialect = pytest.mark.parametrize(("separators", "encoding"), swept(DIALECTS, 2))


@each_dialect
def test_it_reads(door, separators, encoding):
    text = written(door.table(), SEPARATORS[separators])
    taken, problem = door.send(ENCODINGS[encoding](text))
    assert taken == 2, problem


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separators", SEPARATORS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends_go_together(separators, encoding, end):
    rows = [[NOTE, "東京"], ["", "x"]]
    data = ENCODINGS[encoding](written((["a", "b"], rows), SEPARATORS[separators], end))
    file = CsvFile(io.BytesIO(data), {"b"})
    assert file.header == ["a", "b"]
    assert [cells for *_, cells in file.rows()] == rows


@each_dialect
def test_cases_to_judge_a_model_by_are_read_alike(separators, encoding):
    separator = SEPARATORS[separators]
    share = "0.5" if separator == "," else "0,5"
    rows = [["Gotham; city", "a", "2", share, share], ["Blüdhaven", "b", "1", "1", "0"]]
    data = ENCODINGS[encoding](
        written((["city", "outcome", "weight", "twin:a", "twin:b"], rows), separator)
    )
    assert names_in(data) == (["city"], ["a", "b"])
    cases = read_cases(data, ["city"], ["a", "b"])
    assert cases.rows == [("Gotham; city",), ("Blüdhaven",)]
    assert cases.scores[TWIN] == [(0.5, 0.5), (1.0, 0.0)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_it_reads_lines_however_they_end(door, end):
    taken, problem = door.send((written(door.table(), end=end) + end).encode())
    assert taken == 2, problem


def test_it_reads_a_last_line_that_does_not_end(door):
    taken, problem = door.send(written(door.table(), ";").removesuffix("\r\n").encode())
    assert taken == 2, problem


def header_and(door, row, separator=","):
    header, rows = door.table()
    return written((header, [*rows[:1], []]), separator).removesuffix("\r\n") + row


def column_twice(door):
    header, rows = door.table()
    return written(([*header, header[1]], [[*row, row[1]] for row in rows])).encode()


def row_with(text):
    """A second row whose note is ``text``; it ends in line 4, as the first has a line break."""

    def body(door):
        header, (first, second) = door.table()
        return written((header, [first, ["MARK", *second[1:]]])).replace("MARK", text).encode()

    return body


UNREADABLE = {  # sent bytes: part of the error message
    "nothing but the mark": (lambda door: codecs.BOM_UTF8, "the CSV is empty"),
    "a workbook": (lambda door: b"PK\x03\x04 and so on", "save it as CSV"),
    "a column twice": (column_twice, "appears twice in the header"),
    "an endless cell": (row_with("x" * 150_000), "at line 4: a cell has more than 131,072"),
}


@pytest.mark.parametrize(("body", "sentence"), swept(UNREADABLE, 2))
def test_it_says_what_it_cannot_read(door, body, sentence):
    taken, problem = door.send(body(door))
    assert sentence in problem
    assert taken <= 1  # of outcomes, those before the place where the file breaks off


BAD_ROWS = {
    "a NUL": (row_with("a\0b"), "at line 4: a NUL character"),
    "a quote that is not closed": (row_with('"a'), "at line 4: a quote opens there"),
    "a lone quote": (row_with('"a"b"'), "at line 4: a quote within a quoted cell"),
    "Latin-1": (lambda door: written(door.table()).encode("latin-1"), "not UTF-8: line 4"),
    "half a character": (
        lambda door: ENCODINGS["UTF-16 LE"](written(door.table())) + b"x", "not UTF-16: line 5",
    ),
    "UTF-16 without its mark": (
        lambda door: written(door.table()).encode("utf-16-le"), "at line 1: a NUL character",
    ),
    "the header again": (
        lambda door: written((door.table()[0], [door.table()[0]])).encode(), "row 2: city",
    ),
    "bars": (
        lambda door: written(door.table(), "|").replace(NOTE, "").encode(), "commas, semicolons or",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "sentence"), swept(BAD_ROWS, 2))
def test_predictions_need_the_whole_file_to_be_right(predictions, body, sentence):
    taken, problem = predictions.send(body(predictions))
    assert taken == 0
    assert sentence in problem


@pytest.mark.parametrize("what", ["a NUL", "Latin-1", "half a character"])
def test_outcomes_are_taken_where_another_column_is_odd(arkham, post, tmp_path, capsys, what):
    door = Command(post, tmp_path, capsys)
    assert door.send(BAD_ROWS[what][0](door))[0] == 2


@pytest.mark.slow
def test_a_cell_of_ten_megabytes_is_refused(predictions):
    assert "at line 4: a cell has more" in predictions.send(row_with("x" * 10**7)(predictions))[1]


@pytest.mark.slow
def test_a_header_that_opens_a_quote_costs_no_time(arkham, client):
    assert "at line 1" in Predictions("/api/predict", client).send(b'"' + b"\n" * 300_000)[1]


# --- what comes back ---


@each_dialect
@pytest.mark.parametrize("predictions", ["predict", "bulk"], indirect=True)
def test_the_answer_is_written_as_the_question(predictions, separators, encoding):
    table, encode = predictions.table(), ENCODINGS[encoding]
    predictions.send(encode(written(table, SEPARATORS[separators])))
    mark = encode("")
    assert predictions.answer.startswith(mark)
    codec = {"UTF-16 LE": "utf-16-le", "UTF-16 BE": "utf-16-be"}.get(encoding, "utf-8")
    text = predictions.answer[len(mark) :].decode(codec)
    assert "\ufeff" not in text
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=SEPARATORS[separators])
    header, *rows = lines
    assert header == [*table[0], "escapes", "jailed"]
    assert [row[:-2] for row in rows] == [list(map(str, row)) for row in table[1]]
    assert sum(map(float, rows[0][-2:])) == pytest.approx(1)
    charset = "utf-16" if "16" in encoding else "utf-8"
    assert predictions.response["Content-Type"] == f"text/csv; charset={charset}"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-16", "utf-16le"])
def test_it_may_be_said_how_the_body_is_encoded(arkham, client, charset):
    body = ENCODINGS["UTF-16 LE" if "16" in charset else "UTF-8"](
        "city,villain,hour\nGotham,Joker,3"
    )
    response = client.generic("POST", "/api/predict", body, f"text/csv; charset={charset}")
    assert response.status_code == 200
    response.close()


NUMBERS = {  # separator, cell: its number, or None if it is not one
    (";", "3,0"): 3, (";", "2,5e0"): None, (";", "1,25e1"): None, (";", " 4,00 "): 4,
    (";", "3.0"): 3, (";", "1.0,0"): None, (";", "1,0,0"): None, (";", ",0"): 0,
    ("\t", "3,0"): 3, ("\t", "1,000"): None, ("\t", "0,000"): 0, ("\t", "3.0"): 3,
    (",", "3,0"): None, (",", "3.0"): 3,
}  # fmt: skip


@pytest.mark.parametrize(("case", "number"), NUMBERS.items(), ids=map(repr, NUMBERS))
def test_a_comma_is_decimal_where_it_separates_nothing(arkham, client, case, number):
    separator, cell = case
    door = Predictions("/api/predict", client)
    table = (list(ITEM), [[*list(ITEM.values())[:-1], cell]])
    taken, problem = door.send(written(table, separator).encode())
    assert (taken == 1) == (number is not None)
    if number is None:
        assert f'"{cell}"' in problem or "not 2.5" in problem or "not 12.5" in problem
    else:
        assert Prediction.objects.get().inputs["hour"] == number


def test_no_other_cell_is_changed(arkham, client):
    door = Predictions("/api/predict", client)
    door.send(written((["price", *ITEM], [["3,50", *ITEM.values()]]), ";").encode())
    assert door.answer.decode().splitlines()[1].startswith("3,50;Gotham;Joker;3;")


@pytest.mark.parametrize(
    ("separator", "read"), [(",", "1,5"), (";", "1.5"), ("\t", "1.5")], ids=repr
)
def test_a_comma_within_quotes_is_no_decimal_comma_where_commas_separate(separator, read):
    assert Dialect(separator).with_point("1,5") == read
