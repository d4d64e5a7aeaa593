"""Working through the log in admin: filters, orders, search by titles, outcomes and notes."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from sklearn.dummy import DummyClassifier

from predictor.artifacts.errors import InvalidInput
from predictor.log import paging
from predictor.log.errors import UnknownPrediction
from predictor.log.notes import MAX_NOTES, add_note
from predictor.log.retention import prune
from predictor.log.scores import fill_in_scores
from predictor.log.writer.store import Store
from predictor.models import Note, Outcome, Prediction, Shadow
from tests import bundles
from tests.bundles import ITEM
from tests.log.entries import entry, many
from tests.log.test_admin import LOG, exported, link, listed, shown

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def desk(client, arkham):
    """A client logged in as one of the operators, and nothing more."""
    cache.clear()
    user = User.objects.create_user("alfred", is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    client.force_login(user)
    return client


def minute(number, escapes, **changed):
    scores = {"escapes": escapes, "jailed": 1 - escapes}
    return entry(START + timedelta(minutes=number), number, scores=scores, **changed)


@pytest.fixture
def cases(desk):
    """Six cases, the oldest first: a minute apart, each with a distinct feature."""
    rows = [
        minute(0, 0.9, caller="Robin"), minute(1, 0.55), minute(2, 0.5, duration=250.0),
        minute(3, 0.1, caller="Robin"), minute(4, 0.4), minute(5, 0.0),
    ]  # fmt: skip
    Store(connection).insert(rows, None)
    ids = list(Prediction.objects.order_by("id").values_list("id", flat=True))
    for number, flag in ((0, "escapes"), (1, "jailed"), (4, "jailed")):
        report(ids[number], flag)
    add_note(ids[1], "wrong because…", "alfred")
    return [str(identity) for identity in ids]


def report(identity, flag):
    Outcome.objects.create(prediction_id=identity, flag=flag, model="arkham", version="1.0.0")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?outcome=right", [4, 0]),
        ("?outcome=wrong", [1]),
        ("?outcome=reported", [4, 1, 0]),
        ("?outcome=unreported", [5, 3, 2]),
        ("?outcome=right&version=arkham/1.0.0&flag=escapes", [0]),
        ("?outcome=nonsense", [5, 4, 3, 2, 1, 0]),
        ("?low=0.4&high=0.6", [4, 2, 1]),
        ("?low=0,55&high=0.6", [4, 1]),
        ("?low=x&high=nan", [5, 4, 3, 2, 1, 0]),
        ("?low=0.9&outcome=right", [0]),
        ("?caller=Robin", [3, 0]),
        ("?caller=Robin&outcome=right", [0]),
        ("?caller=Rob", []),
        ("?took=100", [2]),
        ("?noted=yes", [1]),
        ("?noted=yes&outcome=right", []),
        ("?since=2026-03-01T12:02&until=2026-03-01T12:03", [3, 2]),
        ("?since=2026-03-01T13:04%2B01:00", [5, 4]),
        ("?until=2026-03-01T12:00", [0]),
        ("?since=yesterday", [5, 4, 3, 2, 1, 0]),
        ("?since=0001-01-01T00:00&until=9999-12-31T23:59", [5, 4, 3, 2, 1, 0]),
        ("?on=2026-03-01&until=2026-03-01T12:01", [1, 0]),
        ("?sort=time", [0, 1, 2, 3, 4, 5]),
        ("?sort=-score", [5, 3, 0, 4, 1, 2]),
        ("?sort=score", [2, 1, 4, 0, 3, 5]),
        ("?sort=-score&outcome=right", [0, 4]),
        ("?sort=-score&high=0.6", [4, 1, 2]),
        ("?sort=upwards", [5, 4, 3, 2, 1, 0]),
        ("?q=Gets+away", [2, 1, 0]),
        ("?q=arkham", [5, 4, 3]),
        ("?q=escapes", [2, 1, 0]),
        ("?q=gotham+away", [2, 1, 0]),
        ("?q=gotham+nowhere", []),
    ],
)
def test_it_works(desk, cases, query, wanted):
    assert shown(listed(desk, query)) == [cases[number] for number in wanted]


def test_values_are_found_by_the_names_people_read(desk, models_dir):
    months = {"title": "Month", "minimum": 1, "maximum": 12, "integer": True}
    months["labels"] = {"9": "September", "10": "October"}
    bundles.install(
        models_dir, "crime",
        lookup={"month": 0, "force": {"kent": 0, "dyfed": 1}}, flags=["a", "b"],
        estimator=DummyClassifier().fit([[1, 0], [2, 1]], [0, 1]),
        metadata={"features": {"month": months, "force": {"labels": {"kent": "Kent Police"}}}},
    )  # fmt: skip
    rows = [
        entry(START, 0, model="crime", inputs={"month": 10, "force": "kent"}),
        entry(START, 1, model="crime", inputs={"month": 9, "force": "dyfed"}),
        entry(START, 2, inputs=ITEM | {"hour": 10}),
    ]
    Store(connection).insert(rows, None)
    ids = [str(row.id) for row in Prediction.objects.order_by("id")]
    for word, found in (("october", [0]), ("OCT", [0]), ("police", [0]), ("september+dyfed", [1])):
        assert shown(listed(desk, f"?q={word}")) == [ids[number] for number in found]
    assert "Kent Police" in listed(desk, "?q=october")


def test_the_order_of_scores_is_walked_without_gap_or_overlap(desk):
    Store(connection).insert(
        [
            entry(START, number, scores={"escapes": number % 3 / 10, "jailed": 1 - number % 3 / 10})
            for number in range(120)
        ],
        None,
    )
    for sort, order in (("-score", ("-top_score", "-id")), ("score", ("top_score", "id"))):
        ids = [str(row.id) for row in Prediction.objects.order_by(*order)]
        first = listed(desk, f"?sort={sort}")
        second = listed(desk, link(first, "next"))
        third = listed(desk, link(second, "next"))
        assert shown(first) + shown(second) + shown(third) == ids
        assert link(third, "next") is None
        assert shown(listed(desk, link(third, "prev"))) == ids[50:100]
        assert link(listed(desk, link(second, "prev")), "prev") is None


def test_a_search_in_the_order_of_scores_goes_on_window_by_window(desk, monkeypatch):
    monkeypatch.setattr(paging, "WINDOW", 20)
    Store(connection).insert(list(many(60)), None)
    lowest = Prediction.objects.order_by("top_score", "id").first()
    Prediction.objects.filter(id=lowest.id).update(inputs=ITEM | {"city": "Nowhere"})
    page = listed(desk, "?sort=-score&q=nowhere")
    steps = 0
    while not shown(page):
        assert "Searched as far as a score of" in page
        page, steps = listed(desk, link(page, "next")), steps + 1
    assert (shown(page), steps) == ([str(lowest.id)], 2)


def test_the_list_says_what_came_true(desk, cases):
    page = listed(desk)
    for said in ("right", "wrong", "not-reported"):
        assert f'class="is-{said}"' in page
    assert "wrong because…" in page
    assert "Back to Arkham" in page
    assert 'title="Robin"' in page


def test_what_happened_is_reported_in_one_press(desk, cases):
    address = f"{LOG}{cases[2]}/"
    page = desk.post(f"{address}outcome/", {"flag": "jailed"}, follow=True).content.decode()
    assert "On record" in page
    assert Prediction.objects.get(id=cases[2]).outcome.flag == "jailed"
    desk.post(f"{address}outcome/", {"flag": "escapes"})
    assert Outcome.objects.get(prediction=cases[2]).flag == "escapes"
    assert LogEntry.objects.count() == 2
    refused = desk.post(f"{address}outcome/", {"flag": "flies"}, follow=True).content.decode()
    assert "Not on record" in refused
    assert LogEntry.objects.count() == 2
    for path in ("outcome/", "note/"):
        assert desk.get(address + path).status_code == 405
        assert desk.post(f"{LOG}{uuid4()}/{path}", {"flag": "x", "text": "x"}).status_code == 404


def test_a_case_shows_what_was_reported_before_and_what_a_candidate_answered(desk, cases):
    address = f"{LOG}{cases[2]}/"
    desk.post(f"{address}outcome/", {"flag": "jailed"})
    desk.post(f"{address}outcome/", {"flag": "escapes"})
    asked = {"prediction_id": cases[2], "model": "arkham", "sha256": "1" * 64}
    Shadow.objects.create(version="2.0.0", scores={"escapes": 0.125, "jailed": 0.875}, **asked)
    Shadow.objects.create(version="3.0.0", refused="city: no label", **asked | {"sha256": "2" * 64})
    page = desk.get(f"{address}change/").content.decode()
    before = page.partition("Reported before")[2].partition("</table>")[0]
    assert "Back to Arkham" in before
    assert "alfred" in before
    candidates = page.partition("Other versions, in shadow")[2].partition("</table>")[0]
    assert "0.875" in candidates
    assert "city: no label" in candidates


def test_an_imported_outcome_has_its_time_its_note_and_who_imported_it(desk, cases):
    head = "id,outcome,time,note\n"
    rows = [f"{cases[2]},jailed,2026-03-02T10:00:00Z,by train\n", f"{cases[3]},jailed,last week,\n"]
    file = SimpleUploadedFile("o.csv", (head + "".join(rows)).encode(), "text/csv")
    desk.post("/admin/predictor/outcome/import/", {"file": file})
    first, second = (Outcome.objects.get(prediction=cases[n]) for n in (2, 3))
    assert (first.happened, first.note, first.by) == (
        datetime(2026, 3, 2, 10, tzinfo=UTC), "by train", "alfred",
    )  # fmt: skip
    assert (second.flag, second.happened) == ("jailed", None)


def test_it_rejects_outcomes_and_notes_of_a_viewer(client, cases):
    user = User.objects.create_user("barbara", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    for path, said in (("outcome/", {"flag": "jailed"}), ("note/", {"text": "x"})):
        assert client.post(f"{LOG}{cases[2]}/{path}", said).status_code == 403
    assert 'name="flag" value=' not in client.get(f"{LOG}{cases[2]}/change/").content.decode()


def test_notes_stay_with_the_case_and_its_export(desk, cases):
    desk.post(f"{LOG}{cases[1]}/note/", {"text": "=the <b>Joker</b>\nlaughed\0"})
    page = desk.get(f"{LOG}{cases[1]}/change/").content.decode()
    assert "=the &lt;b&gt;Joker&lt;/b&gt; laughed" in page
    rows = [json.loads(line) for line in exported(desk, "jsonl").splitlines()]
    assert rows[4]["notes"] == "wrong because…; =the <b>Joker</b> laughed"
    assert [row["outcome"] for row in rows] == [None, "jailed", None, None, "jailed", "escapes"]
    assert exported(desk, "csv").decode().splitlines()[0].endswith(",outcome,notes")
    prune(timedelta(0))
    assert not Note.objects.exists()


@pytest.mark.parametrize("text", ["", " \n\t", "\0\0", "x" * 501])
def test_it_rejects_a_note_that_says_nothing_or_too_much(cases, text):
    with pytest.raises(InvalidInput):
        add_note(cases[0], text)


def test_a_note_is_of_a_case_and_kept_once(cases):
    assert add_note(cases[0], "odd") == add_note(cases[0], " odd ")
    for number in range(MAX_NOTES - 1):
        add_note(cases[0], f"note {number}")
    with pytest.raises(InvalidInput, match="already"):
        add_note(cases[0], "one more")
    with pytest.raises(UnknownPrediction):
        add_note(uuid4(), "odd")


def test_the_page_of_a_case_leads_to_the_ones_beside_it(desk, cases):
    at_once = [entry(START + timedelta(days=1), n, items=3, reference="case 9") for n in range(3)]
    Store(connection).insert(at_once, None)
    page = desk.get(f"{LOG}{cases[3]}/change/").content.decode()
    assert "By the same caller" in page
    assert cases[0] in page
    assert f'rel="prev" href="{LOG}{cases[4]}/change/"' in page
    assert f'rel="next" href="{LOG}{cases[2]}/change/"' in page
    batch = Prediction.objects.filter(items=3).order_by("id")
    page = desk.get(f"{LOG}{batch[1].id}/change/").content.decode()
    assert "Answered at once, 3 in all" in page
    assert "With the reference case 9" in page
    assert page.count(f"{batch[0].id}/change/") >= 2


def test_rows_of_older_releases_get_their_top_score(desk, cases):
    Prediction.objects.update(top_score=None, score_step=None)
    Prediction.objects.filter(id=cases[5]).update(scores={})
    assert shown(listed(desk, "?sort=-score")) == []
    assert "0.900" in listed(desk)
    fill_in_scores()
    assert shown(listed(desk, "?sort=-score")) == [cases[n] for n in (3, 0, 4, 1, 2)]
