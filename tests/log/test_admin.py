"""The log in Django admin."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import F

from predictor.log import paging, refusals
from predictor.log.writer.store import Store
from predictor.models import Outcome, Prediction
from tests.bundles import ITEM
from tests.log.entries import entry, many

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LOG = "/admin/predictor/prediction/"


@pytest.fixture
def viewer(client, arkham):
    """A client logged in as one of the viewers, and nothing more."""
    cache.clear()
    user = User.objects.create_user("barbara", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    return client


def insert(rows):
    Store(connection).insert(list(rows), None)


def shown(page):
    """Ids of the rows of a page, in order."""
    return re.findall(r'field-when"><a href="[^"]*prediction/([0-9a-f-]{36})/', page)


def link(page, rel):
    found = re.search(rf'<a href="([^"]*)" rel="{rel}"', page)
    return found and found[1].replace("&amp;", "&")


def listed(client, query=""):
    response = client.get(LOG + query)
    assert response.status_code == 200, response
    return response.content.decode()


def test_it_works(viewer, post):
    identity = post(ITEM)["X-Prediction-Id"]
    page = listed(viewer)
    assert shown(page) == [identity]
    assert "Gotham, Joker, 3" in page
    detail = viewer.get(f"{LOG}{identity}/change/").content.decode()
    assert '<th scope="row">Hour of day</th><td>3</td>' in detail
    assert f'href="/arkham/case/{identity}"' in detail
    assert 'name="_save"' not in detail


def test_pages_are_walked_without_gap_or_overlap(viewer):
    insert(many(120))
    ids = [str(i) for i in Prediction.objects.order_by("-id").values_list("id", flat=True)]
    first = listed(viewer)
    second = listed(viewer, link(first, "next"))
    third = listed(viewer, link(second, "next"))
    assert shown(first) + shown(second) + shown(third) == ids
    assert link(third, "next") is None
    assert link(first, "prev") is None
    assert shown(listed(viewer, link(third, "prev"))) == ids[50:100]
    assert shown(listed(viewer, link(second, "prev"))) == ids[:50]
    assert "about 120 predictions" in first or connection.vendor == "postgresql"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?version=arkham/1.0.0", {"model": "arkham", "version": "1.0.0"}),
        ("?version=arkham", {"model": "arkham"}),
        ("?flag=escapes", {"top_flag": "escapes"}),
        ("?source=page", {"source": "page"}),
        ("?version=arkham/1.1.0&flag=jailed", {"version": "1.1.0", "top_flag": "jailed"}),
        ("?q=case+7", {"reference": "case 7"}),
        ("?q=Riddler", {"inputs__villain": "Riddler"}),
        ("?q=blüdhaven", {"inputs__city": "Blüdhaven"}),
        ("?q=joker+Blüdhaven", {"inputs__city": "Blüdhaven"}),
        ("?q=100%25", {"inputs__city": "100% Gotham"}),
    ],
)
def test_filters_and_search(viewer, query, wanted):
    rows = [
        entry(number=0, inputs=ITEM | {"villain": "Riddler"}, reference="case 7"),
        entry(number=1, model="titanic", source="page"),
        entry(number=2, version="1.1.0", scores={"escapes": 1.0, "jailed": 0.0}),
        entry(number=3, version="1.1.0", inputs=ITEM | {"city": "Blüdhaven"}),
        entry(number=4, inputs=ITEM | {"city": "100% Gotham"}),
    ]
    insert(rows)
    expected = [str(p.id) for p in Prediction.objects.filter(**wanted).order_by("-id")]
    assert expected
    assert shown(listed(viewer, query)) == expected


def test_an_id_is_found_wherever_it_is(viewer):
    insert(many(120))
    oldest = str(Prediction.objects.order_by("id").first().id)
    assert shown(listed(viewer, f"?q={oldest}")) == [oldest]


def test_dates_lead_from_years_to_days(viewer):
    moment = datetime(2025, 2, 28, 23, 59, 59, tzinfo=UTC)
    insert([entry(moment), entry(moment + timedelta(seconds=1)), entry(moment.replace(year=2024))])
    assert "?on=2024" in listed(viewer)
    assert len(shown(listed(viewer, "?on=2025"))) == 2
    assert len(shown(listed(viewer, "?on=2025-02"))) == 1
    assert len(shown(listed(viewer, "?on=2025-03-01"))) == 1
    assert len(shown(listed(viewer, "?on=2024-12-31"))) == 0
    assert '<a href="?on=2025-02-28">28</a>' in listed(viewer, "?on=2025-02")
    assert "28 February 2025" in listed(viewer, "?on=2025-02-28")


@pytest.mark.parametrize("on", ["2025-13", "x", "2025-02-30", "0", "99999", "2025-1-1-1", "-1"])
def test_a_date_there_is_not_filters_nothing(viewer, on):
    insert(many(3))
    assert len(shown(listed(viewer, f"?on={on}"))) == 3


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=Jo%00ker", "flag=%00", "version=%00", "version=arkham/%00", "source=%00", "on=%00",
     "before=x", "after=%00", "q=%27%22%25_%5C", "e=1"],
)  # fmt: skip
def test_an_odd_address_is_no_mistake_of_ours(viewer, query):
    insert(many(3))
    assert viewer.get(f"{LOG}?{query}", follow=True).status_code == 200


def test_a_search_looks_through_a_window_and_says_so(viewer, monkeypatch):
    monkeypatch.setattr(paging, "WINDOW", 20)
    insert(many(60))
    oldest = Prediction.objects.order_by("id").first()
    insert([entry(oldest.time - timedelta(days=1), inputs=ITEM | {"city": "Nowhere"})])
    page = listed(viewer, "?q=nowhere")
    for _ in range(2):
        assert shown(page) == []
        assert "Searched back to" in page
        page = listed(viewer, link(page, "next"))
    assert len(shown(page)) == 1
    assert link(page, "next") is None


def test_nothing_is_counted_and_no_page_walks_through_the_log(
    viewer, django_assert_max_num_queries
):
    insert(many(300))
    with django_assert_max_num_queries(23) as queries:
        page = listed(viewer, "?version=arkham/1.0.0&_facets=True")
    assert "Show counts" not in page
    assert not [q["sql"] for q in queries.captured_queries if "COUNT(" in q["sql"]]


def exported(client, kind, query=""):
    response = client.get(f"{LOG}export/{kind}/{query}")
    assert response.status_code == 200
    return b"".join(response.streaming_content)


FORMULAS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20A1"),
]


def test_export_as_csv_is_safe_in_a_spreadsheet(viewer):
    insert(
        entry(number=n, reference=text, inputs=ITEM | {"city": text})
        for n, text in enumerate(FORMULAS)
    )
    rows = list(csv.DictReader(io.StringIO(exported(viewer, "csv").decode(), newline="")))
    # what follows a tab or a line break may begin a cell, too
    escaped = [re.sub(r"(?<=\s)(?==)", "'", f"'{text}") for text in reversed(FORMULAS)]
    assert [row["reference"] for row in rows] == escaped
    assert [row["inputs.city"] for row in rows] == [row["reference"] for row in rows]
    assert rows[0]["inputs.hour"] == "3"
    assert float(rows[0]["scores.jailed"]) == 0.75


def test_a_negative_number_stays_a_number(viewer):
    insert([entry(inputs=ITEM | {"hour": -5})])
    assert ",-5," in exported(viewer, "csv").decode()


def test_export_as_json_lines(viewer):
    insert([entry(inputs=ITEM | {"city": "=1+1"})])
    (line,) = exported(viewer, "jsonl").splitlines()
    row = json.loads(line)
    assert row["inputs"]["city"] == "=1+1"
    assert row["scores"] == {"escapes": 0.25, "jailed": 0.75}


def test_export_as_xlsx_opens_and_has_no_formula(viewer):
    openpyxl = pytest.importorskip("openpyxl")
    insert(
        entry(number=n, reference=text, inputs=ITEM | {"city": f"<b>&\x01{n}"})
        for n, text in enumerate([*FORMULAS, "_x0041_", ""])
    )
    book = openpyxl.load_workbook(io.BytesIO(exported(viewer, "xlsx")))
    header, *rows = book["Predictions 1"].iter_rows()
    assert not [c for row in rows for c in row if c.data_type == "f"]
    names = [cell.value for cell in header]
    assert names[:3] == ["id", "time", "model"]
    references = [row[names.index("reference")] for row in reversed(rows)]
    values = [openpyxl.utils.escape.unescape(cell.value or "") for cell in references]
    assert values == [*FORMULAS, "_x0041_", ""]
    assert rows[0][names.index("inputs.hour")].value == 3
    assert rows[0][names.index("inputs.city")].value == "<b>&\ufffd12"


def test_a_column_that_only_old_rows_have_is_exported(viewer):
    now = datetime.now(UTC)
    insert([entry(now - timedelta(days=1)), entry(now, inputs={"city": "Gotham", "villain": "x"})])
    header = exported(viewer, "csv").decode().splitlines()[0]
    assert "inputs.hour" in header


def test_a_workbook_begins_a_sheet_when_one_is_full(viewer, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl")
    monkeypatch.setattr("predictor.spreadsheets.xlsx._MAX_ROWS", 4)
    insert(many(7))
    book = openpyxl.load_workbook(io.BytesIO(exported(viewer, "xlsx")))
    assert [sheet.max_row for sheet in book] == [4, 4, 2]


def test_an_export_has_the_filtered_rows_and_leaves_an_entry(viewer):
    insert(many(100))
    lines = exported(viewer, "jsonl", "?version=arkham/1.1.0").splitlines()
    assert len(lines) == 30
    made = LogEntry.objects.get()
    assert made.user.username == "barbara"
    assert "jsonl" in made.change_message
    assert "version=arkham%2F1.1.0" in made.change_message


def test_administrators_see_who_exported_what(viewer, admin_client):
    exported(viewer, "csv", "?flag=escapes")
    page = admin_client.get("/admin/admin/logentry/").content.decode()
    assert "barbara" in page
    assert "Exported as csv: flag=escapes" in page
    assert viewer.get("/admin/admin/logentry/").status_code == 403


def test_it_rejects_who_may_not_see_the_log(client, arkham):
    client.force_login(User.objects.create_user("joker", is_staff=True))
    cache.clear()
    assert client.get(LOG).status_code == 403
    assert client.get(f"{LOG}export/csv/").status_code == 403
    assert client.get("/admin/predictor/outcome/import/").status_code == 403
    assert b"Answers per hour" not in client.get("/admin/").content


def test_it_rejects_changes(viewer):
    insert([entry()])
    identity = Prediction.objects.get().id
    assert viewer.get(f"{LOG}add/").status_code == 403
    assert viewer.post(f"{LOG}{identity}/delete/", {"post": "yes"}).status_code == 403
    assert viewer.post(f"{LOG}{identity}/change/", {"model": "x"}).status_code == 403


def test_the_dashboard_tells_what_the_log_knows(viewer, post):
    insert(many(300))
    asked = post(ITEM)["X-Prediction-Id"]
    for _ in range(41):
        post(ITEM | {"city": "Kent Constabulary"})
    post({"outcome": "jailed"}, f"/api/predictions/{asked}/outcome")
    refusals.flush()
    page = viewer.get("/admin/").content.decode()
    link = "/admin/predictor/refusal/?kind__exact=unknown+label&amp;q=Kent+Constabulary"
    assert (
        f'<a href="{link}">Kent Constabulary</a></th><td>arkham</td><td>city</td>'
        '<td class="number">41 times</td>' in page
    )
    assert '">status 400</a></th><td></td><td class="number">41</td>' in page
    assert '<td><a href="/arkham/card">arkham 1.0.0</a></td>' in page
    accuracy = page.split('id="accuracy"')[1]
    assert reported(1) in accuracy
    assert "p99" in page
    assert page.count("<rect") >= 24
    assert "<script>" not in page.split('class="overview sheets"')[1].split("</section>")[0]
    assert "style=" not in page.split('class="overview sheets"')[1]


def reported(count):
    """The line of accuracy of a version with so many outcomes."""
    link = f"{LOG}?outcome=reported&amp;version=arkham%2F1.0.0"
    return (
        '<th scope="row">arkham 1.0.0</th>'
        f'<td class="number"><a href="{link}">{count}</a></td>'
    )  # fmt: skip


@pytest.mark.parametrize("span", ["year"])
def test_every_number_of_the_dashboard_leads_somewhere(viewer, post, span):
    insert(many(400))
    for row in Prediction.objects.order_by("-id")[:20]:
        Outcome.objects.create(prediction=row, model="arkham", version=row.version, flag="jailed")
    post(ITEM | {"city": "Kent Constabulary"})
    refusals.flush()
    page = viewer.get(f"/admin/?span={span}&model=arkham").content.decode()
    assert "as of 20" in page
    body = page.split('<nav class="choice"', 1)[1]
    found = re.findall(r'href="((?:/admin/predictor/|\?)[^"#]*)', body)
    links = {link.replace("&amp;", "&") for link in found}
    assert len(links) > 20
    for link in links:
        assert viewer.get(f"/admin/{link}" if link[0] == "?" else link).status_code == 200, link
    right = Outcome.objects.filter(flag=F("prediction__top_flag")).count()
    confused = re.findall(r'href="([^"]*outcome=right[^"]*)">([\d,]+)</a>', page)
    assert sum(int(count) for _, count in confused) == right > 0
    for address, count in confused:
        assert len(shown(viewer.get(address.replace("&amp;", "&")).content.decode())) == int(count)


def test_a_model_there_is_not_is_all_models(viewer):
    insert(many(30))
    for query in ("?model=nonsense", "?model=%00&span=%00&drift=%00", "?drift=arkham/x/y"):
        assert viewer.get(f"/admin/{query}").status_code == 200


def test_accuracy_is_shown_over_a_window(viewer):
    now = datetime.now(UTC)
    rows = [entry(now - timedelta(days=age), age) for age in (1, 20, 60, 200)]
    insert(rows)
    for row in rows:
        Outcome.objects.create(prediction_id=row[0], model="arkham", version="1.0.0", flag="jailed")
    for query, count in (("", 4), ("?days=7", 1), ("?days=30", 2), ("?days=90", 3), ("?days=x", 4)):
        page = viewer.get(f"/admin/{query}").content.decode()
        assert reported(count) in page.split('id="accuracy"')[1]


def test_the_dashboard_of_an_empty_log(viewer):
    page = viewer.get("/admin/").content.decode()
    assert "No answers yet." in page


def test_an_operator_tells_outcomes_from_a_file(client, arkham, post):
    operator = User.objects.create_user("alfred", is_staff=True)
    operator.groups.add(Group.objects.get(name="operator"))
    client.force_login(operator)
    asked = post(ITEM)["X-Prediction-Id"]
    file = SimpleUploadedFile("truth.csv", f"id,outcome\n{asked},jailed\nx,jailed\n".encode())
    page = client.post("/admin/predictor/outcome/import/", {"file": file}, follow=True)
    assert b"1 outcome recorded." in page.content
    assert b"1 row was not taken. The first is:" in page.content
    assert b"Line 3: &#x27;x&#x27; is not an id" in page.content
    assert Outcome.objects.get().flag == "jailed"
    assert LogEntry.objects.get().change_message == "1 outcome recorded, 1 refused"


ACTIVATION = "/admin/predictor/activation/"
PLACES = {  # (method, path): the responses to an anonymous user, a viewer and an operator
    ("get", LOG): (403, 200, 200),
    ("get", f"{LOG}export/csv/"): (403, 200, 200),
    ("get", f"{LOG}export/xlsx/"): (403, 200, 200),
    ("get", f"{LOG}export/jsonl/"): (403, 200, 200),
    ("get", f"{LOG}export/exe/"): (403, 404, 404),
    ("get", f"{LOG}ID/change/"): (403, 200, 200),
    ("get", f"{LOG}add/"): (403, 403, 403),
    ("post", f"{LOG}ID/change/"): (403, 403, 403),
    ("post", f"{LOG}ID/delete/"): (403, 403, 403),
    ("get", "/admin/predictor/refusal/"): (403, 200, 200),
    ("get", "/admin/predictor/outcome/"): (403, 200, 200),
    ("get", "/admin/predictor/outcome/import/"): (403, 403, 200),
    ("post", "/admin/predictor/outcome/import/"): (403, 403, 200),
    ("post", "/admin/predictor/outcome/add/"): (403, 403, 403),
    ("get", ACTIVATION): (403, 200, 200),
    ("get", f"{ACTIVATION}arkham/1.0.0/compare/"): (403, 200, 200),
    ("post", f"{ACTIVATION}arkham/1.0.0/compare/"): (403, 403, 302),
    ("get", f"{ACTIVATION}arkham/rollback/"): (405, 405, 405),
    ("post", f"{ACTIVATION}arkham/rollback/"): (403, 403, 302),
    ("get", "/admin/auth/user/"): (403, 403, 403),
}


@pytest.mark.parametrize("group", ["", "viewer", "operator"])
def test_every_page_asks_for_its_permission(client, arkham, group):
    cache.clear()
    insert([entry()])
    user = User.objects.create_user("someone", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    client.force_login(user)
    number = ["", "viewer", "operator"].index(group)
    answered = {}
    for method, address in PLACES:
        path = address.replace("ID", str(Prediction.objects.get().id))
        answered[method, address] = getattr(client, method)(path).status_code
    assert answered == {place: expected[number] for place, expected in PLACES.items()}
    client.logout()
    for method, address in PLACES:
        assert getattr(client, method)(address).status_code == 302  # to the login


def test_groups_have_their_permissions():
    def may(name):
        codenames = Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        return sorted(codenames)

    views = ["view_activation", "view_outcome", "view_prediction", "view_refusal"]
    assert may("viewer") == views
    assert may("operator") == ["activate_version", "add_outcome", *views]
