"""Outcomes of many predictions at once, and predictions read back, by those who may."""

import csv
import io
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from predictor.keys.models import ApiKey
from predictor.log import outcomes
from predictor.log.writer.store import Store
from predictor.models import EarlierOutcome, Outcome, Prediction
from predictor.serving.current import serving
from tests import bundles
from tests.bundles import ITEM
from tests.log.entries import entry

pytestmark = pytest.mark.django_db
MANY = "/api/predictions/outcomes"
NO_ID = "01a1bb58-d33f-7000-8000-00000007a11f"


@pytest.fixture
def keys(arkham):
    made = {name: ApiKey.objects.create_key(name=name)[1] for name in ("Gordon", "Bullock")}
    return {name: {"X-API-Key": key} for name, key in made.items()}


@pytest.fixture
def report(client):
    def send(body, kind="application/json", **headers):
        answered = client.post(MANY, body, kind, headers=headers)
        assert answered.status_code == 200, answered.content
        if kind == "application/json":
            return answered.json()
        return list(csv.DictReader(io.StringIO(answered.content.decode("utf-8-sig"))))

    return send


def insert(*rows):
    Store(connection).insert(rows, None)
    return [str(UUID(row[0])) for row in rows]


def results(answer):
    return [row["result"] for row in answer]


def test_each_row_says_what_came_of_it(keys, report):
    one, two, _ = insert(
        entry(number=1, caller="Gordon"),
        entry(number=2, caller="Gordon", reference="A-2"),
        entry(number=3, caller="Bullock", reference="A-2"),
    )
    insert(*(entry(number=n, caller="Gordon", reference="twice") for n in (4, 5)))
    answer = report(
        [
            {
                "id": one,
                "outcome": "jailed",
                "time": "2026-11-20T10:00:00+01:00",
                "note": "at last",
            },
            {"reference": "A-2", "outcome": "Gets away"},
            {"id": NO_ID, "outcome": "jailed"},
            {"reference": "A-3", "outcome": "jailed"},
            {"reference": "twice", "outcome": "jailed"},
            {"id": one, "outcome": "jaild"},
            {"id": "nonsense", "outcome": "jailed"},
            {"outcome": "jailed"},
            {"id": one},
            {"id": one, "outcome": 1},
            {"id": one, "outcome": "jailed", "why": ""},
            {"id": one, "outcome": "jailed", "time": "yesterday"},
            {"id": one, "outcome": "jailed", "time": "0001-01-01T00:00:00+14:00"},
            {"id": one, "outcome": "jailed", "note": "x" * 501},
            {"id": one, "outcome": "jailed", "note": "\0"},
            {"reference": "\0", "outcome": "jailed"},
            "jailed",
        ],
        **keys["Gordon"],
    )
    assert results(answer) == [
        "accepted", "accepted", "unknown", "unknown", "ambiguous", "not a flag",
        *["malformed"] * 11,
    ]  # fmt: skip
    assert answer[0] == {"result": "accepted", "id": one}
    assert answer[1]["id"] == two
    assert 'did you mean "jailed"' in answer[5]["detail"]
    first = Outcome.objects.get(prediction_id=one)
    assert (first.flag, first.note, first.by) == ("jailed", "at last", "Gordon")
    assert first.happened == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert Outcome.objects.get(prediction_id=two).flag == "escapes"
    assert Outcome.objects.count() == 2


WAYS = {  # in which a file, or an array, of outcomes comes
    "JSON": lambda client, rows, _: client.post(MANY, rows, "application/json").content.decode(),
    "CSV": lambda client, rows, _: client.post(MANY, as_csv(rows), "text/csv").content.decode(),
    "admin": lambda client, rows, _: client.post(
        "/admin/predictor/outcome/import/", {"file": io.BytesIO(as_csv(rows))}, follow=True
    ).content.decode(),
    "command": lambda _, rows, folder: imported(folder, as_csv(rows)),
}


def as_csv(rows):
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue().encode()


def imported(folder, table):
    (folder / "outcomes.csv").write_bytes(table)
    said = io.StringIO()
    with suppress(CommandError):
        call_command("import_outcomes", folder / "outcomes.csv", stdout=said, stderr=said)
    return said.getvalue()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_outcome_is_of_the_future(arkham, admin_client, tmp_path, way):
    now = datetime.now(UTC)
    ahead = {minutes: now + timedelta(minutes=minutes) for minutes in (-1, 2, 9, 600)}
    times = [at.isoformat() for at in ahead.values()]
    times += [ahead[9].astimezone(timezone(timedelta(hours=-9))).isoformat(), "2999-01-01"]
    ids = insert(*(entry(number=n) for n in range(len(times))))
    rows = [{"id": one, "outcome": "jailed", "time": t} for one, t in zip(ids, times, strict=True)]
    said = way(admin_client, rows, tmp_path)
    assert said.count("time is in the future, ") == 4, said
    assert {str(one) for one in Outcome.objects.values_list("pk", flat=True)} == {*ids[:2]}


@pytest.mark.parametrize(
    "own", [" A-2 ", "A\u200b2", "A\t2", "A\0002", "\u00a0A\u00a0", "A \u200b", 4711, "=1+1", 'a"b']
)
def test_a_reference_is_found_by_the_text_that_was_sent(keys, post, report, client, own):
    """The log keeps it printable and without spaces around it; its caller need not know that."""
    gordon = keys["Gordon"]
    (said,) = post([ITEM | {"no": own}], "/api/predict?reference=no&ids=true", **gordon).json()
    assert said["no"] == own
    (taken,) = report([{"reference": own, "outcome": "jailed"}], **gordon)
    assert taken == {"result": "accepted", "id": said["id"]}
    found = client.get("/api/predictions", {"reference": own}, headers=gordon).json()
    (kept,) = found["predictions"]
    assert kept["id"] == said["id"]
    (taken,) = report([{"reference": kept["reference"], "outcome": "jailed"}], **gordon)
    assert taken["result"] == "accepted", "what the log says is found, too"
    table = io.StringIO()
    csv.writer(table).writerows([["reference", "outcome"], [str(own).replace("\0", ""), "jailed"]])
    (taken,) = report(table.getvalue(), "text/csv", **gordon)
    assert taken["result"] == "accepted"


@pytest.mark.parametrize(("separator", "mark"), [(",", ""), (";", "\ufeff"), ("\t", "")])
def test_a_csv_comes_back_with_what_came_of_each_row(keys, report, separator, mark):
    insert(entry(number=1, caller="Gordon", reference="=A1"), entry(number=2, caller="Gordon"))
    lines = ["who,reference,outcome,note", "me,'=A1,Back to Arkham,", "you,A-9,jailed,x", "he"]
    text = mark + "\r\n".join(lines).replace(",", separator)
    answered = report(text.encode(), "text/csv", **keys["Gordon"])
    if separator == ",":
        assert results(answered) == ["accepted", "unknown", "malformed"]
        assert list(answered[0]) == ["who", "reference", "outcome", "note", "result", "detail"]
        assert answered[0]["reference"] == "'=A1"
    assert Outcome.objects.get().flag == "jailed"


def test_an_answer_may_be_sent_again(keys, client):
    insert(entry(number=1, caller="Gordon", reference="a"))
    first = client.post(
        MANY, b"reference,outcome\na,jailed\nb,jailed\n", "text/csv", headers=keys["Gordon"]
    )
    again = client.post(MANY, first.content, "text/csv", headers=keys["Gordon"])
    assert again.content == first.content
    assert not EarlierOutcome.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [({}, ""), ([], ""), ("jailed", ""), ([{}], ""), ([ITEM], ""), (b"[", ""), (b"", "csv"),
     (b"id,truth\na,b\n", "csv"), (b"id,outcome\n", "csv"),
     (b"id,id,outcome\na,b,c\n", "csv")],
)  # fmt: skip
def test_it_rejects_what_is_no_list_of_outcomes(arkham, client, body, kind):
    answered = client.post(MANY, body, "text/csv" if kind else "application/json")
    assert answered.status_code == 400
    assert answered["Content-Type"] == "application/problem+json"


def test_the_last_word_counts_and_the_first_is_kept(keys, report, client):
    (one,) = insert(entry(caller="Gordon"))
    for flag in ("jailed", "jailed", "escapes", "escapes"):
        assert results(report([{"id": one, "outcome": flag}], **keys["Gordon"])) == ["accepted"]
    report([{"id": one, "outcome": flag} for flag in ("jailed", "escapes")], **keys["Gordon"])
    assert Outcome.objects.get().flag == "escapes"
    kept = client.get(f"/api/predictions/{one}", headers=keys["Gordon"]).json()
    assert kept["outcome"] == "escapes"
    assert [word["outcome"] for word in kept["earlier_outcomes"]] == ["jailed", "escapes", "jailed"]
    assert kept["earlier_outcomes"][0]["reported"] < kept["outcome_reported"]


def test_a_key_reports_on_its_own_predictions(keys, report, client, settings):
    (one,) = insert(entry(caller="Bullock", reference="mine"))
    both = [{"id": one, "outcome": "jailed"}, {"reference": "mine", "outcome": "jailed"}]
    assert results(report(both, **keys["Gordon"])) == ["unknown", "unknown"]
    single = f"/api/predictions/{one}/outcome"
    refused = client.post(single, {"outcome": "jailed"}, "application/json", headers=keys["Gordon"])
    assert refused.status_code == 404
    assert not Outcome.objects.exists()
    assert results(report(both, **keys["Bullock"])) == ["accepted", "accepted"]
    assert results(report(both)) == ["accepted", "id needed"]
    settings.LOG_SHARED = True
    assert results(report(both, **keys["Gordon"])) == ["accepted", "accepted"]
    assert results(report(both)) == ["accepted", "accepted"]
    settings.LOG_SHARED = False


def test_a_right_lets_a_key_report_on_all(keys, report, client, capsys):
    (one,) = insert(entry(caller="Bullock", reference="mine"))
    call_command("create_api_key", "Alfred", "--reports-all")
    alfred = {"X-API-Key": capsys.readouterr().out.strip()}
    both = [{"id": one, "outcome": "jailed"}, {"reference": "mine", "outcome": "jailed"}]
    assert results(report(both, **alfred)) == ["accepted", "accepted"]
    assert client.get(f"/api/predictions/{one}", headers=alfred).status_code == 404
    call_command("create_api_key", "Lucius", "--reads-all")
    lucius = {"X-API-Key": capsys.readouterr().out.strip()}
    assert client.get("/api/predictions?reference=mine", headers=lucius).json()["predictions"]
    assert results(report(both, **lucius)) == ["unknown", "unknown"]


def test_titles_are_known_to_every_exit(arkham, client, post, tmp_path):
    asked = post(ITEM)["X-Prediction-Id"]
    single = post({"outcome": "Gets away"}, f"/api/predictions/{asked}/outcome")
    assert single.json()["outcome"] == "escapes"
    file = tmp_path / "outcomes.csv"
    file.write_text(f"id,outcome,time\n{asked},Back to Arkham,half past nine\n")
    call_command("import_outcomes", file)
    assert Outcome.objects.get().flag == "jailed"
    paged = client.post(f"/arkham/outcome/{asked}", {"outcome": "Gets away"})
    assert paged.json()["outcome"] == "escapes"


def test_while_the_database_is_away_it_says_so(keys, client, monkeypatch):
    def away(*_, **__):
        raise OperationalError("gone")

    (one,) = insert(entry(caller="Gordon"))
    monkeypatch.setattr(outcomes, "replace_outcomes", away)
    answered = client.post(
        MANY, [{"id": one, "outcome": "jailed"}], "application/json", headers=keys["Gordon"]
    )
    assert (answered.status_code, answered["Retry-After"]) == (503, "1")


@pytest.mark.slow
def test_thousands_take_few_statements(keys, report, django_assert_max_num_queries):
    ids = insert(*(entry(number=n, caller="Gordon", reference=f"c{n}") for n in range(2_000)))
    reports = [{"id": one, "outcome": "jailed"} for one in ids[:1_000]]
    reports += [{"reference": f"c{n}", "outcome": "Gets away"} for n in range(1_000, 2_000)]
    with django_assert_max_num_queries(80):
        assert set(results(report(reports, **keys["Gordon"]))) == {"accepted"}
    assert Outcome.objects.filter(flag="escapes").count() == 1_000


def test_a_prediction_is_read_back(arkham, post, client, settings):
    settings.LOG_LEAVES_OUT, settings.LOG_HASHES = ["arkham.villain"], ["arkham.city"]
    asked = post(ITEM, **{"X-Reference": "case 7"})
    identity = asked["X-Prediction-Id"]
    read = client.get(f"/api/predictions/{identity}").json()
    assert read["id"] == identity
    assert (read["model"], read["version"], read["reference"]) == ("arkham", "1.0.0", "case 7")
    assert read["scores"] == asked.json()
    assert read["inputs"].keys() == {"city", "hour"}
    assert read["inputs"]["city"].startswith("hash:")
    assert (read["outcome"], read["earlier_outcomes"]) == (None, [])
    assert read["sha256"] == serving().active().sha256
    assert client.get(f"/api/predictions/{NO_ID}").status_code == 404


def test_an_answer_leads_to_the_training_of_its_version(models_dir, post, client):
    run = "https://ci.example/run/7"
    known = {"origin": {"commit": "4db982b", "run": run}, "data": {"period": "2025-01 to 2025-12"}}
    folder = bundles.install(models_dir, metadata=bundles.METADATA | known)
    address = f"/api/predictions/{post(ITEM)['X-Prediction-Id']}"
    assert client.get(address).json()["origin"] == {
        "created": "2026-01-01T00:00:00+00:00", "commit": "4db982b", "run": run,
        "period of the data": "2025-01 to 2025-12",
    }  # fmt: skip
    shutil.rmtree(folder)
    assert client.get(address).json()["origin"] is None
    bundles.install(models_dir, estimator=bundles.fitted(1))
    assert client.get(address).json()["origin"] is None, "other files have its name now"


def test_a_key_reads_its_own_predictions(keys, client, settings):
    one, _ = insert(entry(number=1, caller="Gordon"), entry(number=2, caller="Bullock"))
    path = f"/api/predictions/{one}"
    assert client.get(path, headers=keys["Gordon"]).status_code == 200
    assert client.get(path, headers=keys["Bullock"]).status_code == 404
    assert client.get(path).status_code == 200, "it has the id"
    refused = client.get("/api/predictions")
    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused
    mine = client.get("/api/predictions", headers=keys["Gordon"]).json()
    assert [row["id"] for row in mine["predictions"]] == [one]
    settings.LOG_SHARED = True
    assert len(client.get("/api/predictions").json()["predictions"]) == 2
    assert client.get(path, headers=keys["Bullock"]).status_code == 200


@pytest.mark.slow
def test_predictions_are_paged(keys, client):
    start = datetime.now(UTC) - timedelta(days=1)
    ids = insert(
        *(entry(start + timedelta(hours=n), n, caller="Gordon", reference=f"r{n % 2}")
          for n in range(7))
    )  # fmt: skip
    insert(entry(number=99, caller="Bullock", reference="r0"))

    def pages(query):
        found, path = [], f"/api/predictions?limit=2&{query}"
        while path:
            answered = client.get(path, headers=keys["Gordon"])
            found += [row["id"] for row in answered.json()["predictions"]]
            path = answered.get("Link", "").partition(">")[0].removeprefix("<")
            assert ("cursor=" in path) == bool(answered.json()["next"])
        return found

    assert pages("") == ids[::-1]
    assert pages("reference=r0") == ids[::-1][::2]
    assert pages("model=arkham&reference=r1") == ids[::-1][1::2]
    assert pages("model=joker") == pages("model=%00") == []
    since = (start + timedelta(hours=4)).isoformat()
    assert pages(f"since={since}".replace("+", "%2B")) == ids[:3:-1]
    assert pages(f"since={since}") == ids[:3:-1], "a plus that was not escaped"
    assert pages("since=0001-01-01T12:00:00Z") == ids[::-1]
    assert pages("since=2999-01-01") == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=²", "limit=", "limit=000000001999999",
     "limit=-1", "since=today", "since=9999-12-31T23:59-12:00", "cursor=1",
     "refrence=a", "model=a&model=b"],
)  # fmt: skip
def test_it_rejects_odd_parameters(keys, client, query):
    answered = client.get(f"/api/predictions?{query}", headers=keys["Gordon"])
    if query == "limit=":
        assert answered.status_code == 200
        return
    assert answered.status_code == 400
    assert answered.json()["errors"][0]["field"] == query.partition("=")[0]


def test_outcomes_in_a_page(keys, client, report):
    (one,) = insert(entry(caller="Gordon"))
    report([{"id": one, "outcome": "jailed", "note": "n"}], **keys["Gordon"])
    (row,) = client.get("/api/predictions", headers=keys["Gordon"]).json()["predictions"]
    assert (row["outcome"], row["outcome_note"]) == ("jailed", "n")
    assert Prediction.objects.count() == 1
