"""Present inputs and answers against the model's training data."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from sklearn.dummy import DummyClassifier

from predictor.log import drift
from predictor.log.writer.store import Store
from predictor.models import DriftFigures
from predictor.serving.current import serving
from tests import bundles
from tests.log.entries import entry
from tests.servers import free_port

pytestmark = pytest.mark.django_db
EVEN = dict.fromkeys(bundles.CITIES, 1 / 3)


@pytest.fixture(autouse=True)
def nothing_cached():
    cache.clear()


@pytest.fixture
def model(models_dir):
    metadata = bundles.METADATA | {"baseline": {"city": EVEN, "hour": "nonsense"}}
    bundles.install(models_dir, metadata=metadata)
    return serving().active("arkham")


def ask(cities, hours=range(24), first=0):
    rows = [
        entry(
            number=first + n,
            inputs={
                "city": cities[n % len(cities)], "villain": "Joker", "hour": hours[n % len(hours)],
            },
        )
        for n in range(600)
    ]  # fmt: skip
    Store(connection).insert(rows, None)


def by_subject(found):
    return {one.subject: one for one in found}


def test_it_works(model):
    ask(["Gotham"])
    city = by_subject(drift.measure_drift(model))["city"]
    assert city.against == "the training data"
    # (1 - 1/3) ln 3, and twice (0.0001 - 1/3) ln 0.0003
    assert city.psi == pytest.approx(0.732 + 2 * 2.703, abs=0.001)
    assert city.p_value < 1e-9
    assert city.drifted


def test_what_is_asked_as_in_training_has_not_drifted(model):
    ask(bundles.CITIES)
    city = by_subject(drift.measure_drift(model))["city"]
    assert city.psi == pytest.approx(0)
    assert city.p_value == pytest.approx(1)


@pytest.mark.slow
def test_without_a_baseline_the_first_answers_are_the_measure(model, monkeypatch):
    monkeypatch.setattr(drift, "FIRST", 600)
    ask(bundles.CITIES, hours=range(12))
    ask(bundles.CITIES, hours=range(12, 24), first=600)
    found = by_subject(drift.measure_drift(model))
    assert found["hour"].against == "its first 600 answers"
    assert found["hour"].psi > 5
    assert found["villain"].psi == 0
    assert found["top flag"].psi == 0


@pytest.mark.slow
def test_many_different_numbers_are_compared_by_tenths(model, monkeypatch):
    monkeypatch.setattr(drift, "FIRST", 600)
    ask(bundles.CITIES, hours=[n / 10 for n in range(600)])
    ask(bundles.CITIES, hours=[n / 10 for n in range(300)], first=600)
    hour = by_subject(drift.measure_drift(model))["hour"]
    assert 0.25 < hour.psi < 10


def test_too_few_answers_tell_nothing(model):
    Store(connection).insert([entry(number=n) for n in range(50)], None)
    assert drift.measure_drift(model) == []


def test_figures_of_a_clock_that_was_wrong_are_not_shown(model, monkeypatch):
    measured = []
    monkeypatch.setattr(drift, "measure_drift", lambda model: measured.append(1) or [])
    later = datetime.now(UTC) + timedelta(days=700)
    for day in (later.date(), datetime.now(UTC).date()):
        DriftFigures.objects.create(
            sha256=model.sha256, model=model.name, day=day, time=later, version="1", figures=[]
        )
    assert drift.drift(model) == []
    assert measured == [1]
    assert DriftFigures.objects.order_by("day").first().time < later


@pytest.mark.slow
def test_a_hashed_field_is_not_compared_with_labels(model, settings):
    settings.LOG_HASHES = ["arkham.city"]
    ask(["hash:0123456789abcdef"])
    assert "city" not in by_subject(drift.measure_drift(model))


@pytest.mark.slow
def test_the_report_names_it(model, capsys):
    ask(["Gotham"])
    call_command("drift_report")
    assert "city: DRIFT PSI 6.1" in capsys.readouterr().out
    assert mail.outbox == []


@pytest.mark.slow
def test_it_is_shown_in_metrics(model, client):
    ask(["Gotham"])
    text = client.get("/metrics").content.decode()
    assert 'batcomputer_drift_psi{model="arkham",subject="city",version="1.0.0"} 6.1' in text


def test_an_alert_goes_out_by_mail(model, settings):
    settings.ALERT_EMAILS = ["gordon@example.org"]
    ask(["Gotham"])
    call_command("drift_report", "--alert")
    (letter,) = mail.outbox
    assert letter.to == ["gordon@example.org"]
    assert "city has drifted from the training data" in letter.body


def test_no_alert_without_drift(model, settings):
    settings.ALERT_EMAILS = ["gordon@example.org"]
    ask(bundles.CITIES)
    call_command("drift_report", "--alert")
    assert mail.outbox == []


@pytest.fixture
def no_http():
    """A port where someone answers, but not as HTTP has it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"hello\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.slow
def test_a_webhook_that_fails_is_one_sentence_and_keeps_no_mail_back(model, settings):
    settings.ALERT_EMAILS = ["gordon@example.org"]
    settings.ALERT_WEBHOOK = f"http://127.0.0.1:{free_port()}/services/a-secret"
    ask(["Gotham"])
    with pytest.raises(CommandError, match=r"the webhook at 127\.0\.0\.1 did not take") as raised:
        call_command("drift_report", "--alert")
    assert "a-secret" not in str(raised.value)
    assert len(mail.outbox) == 1


@pytest.mark.slow
def test_a_webhook_that_speaks_no_http_is_one_sentence(model, settings, no_http):
    settings.ALERT_WEBHOOK = f"http://127.0.0.1:{no_http}/"
    ask(["Gotham"])
    with pytest.raises(CommandError, match="did not take the alert"):
        call_command("drift_report", "--alert")


def test_a_mail_that_fails_keeps_no_webhook_back(model, settings):
    settings.ALERT_EMAILS = ["gordon@example.org"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.ALERT_WEBHOOK = f"http://127.0.0.1:{free_port()}/"
    ask(["Gotham"])
    with pytest.raises(CommandError, match=r"by e-mail: .*; the webhook at .* did not take"):
        call_command("drift_report", "--alert")


def test_an_alert_goes_to_a_webhook(model, settings):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        settings.ALERT_WEBHOOK = f"http://127.0.0.1:{server.server_port}/"
        ask(["Gotham"])
        call_command("drift_report", "--alert")
        thread.join()
    assert received[0]["drift"][0]["subject"] == "city"
    assert "city has drifted" in received[0]["text"]


KINDS = {
    "city": ["Gotham", "York"], "level": 0, "member": False, "note": "", "day": "",
    "pixels": [0.0] * 2,
}  # fmt: skip
DESCRIBED = {
    "city": {"open": True, "passed_as": "label", "missing": True}, "level": {"missing": True},
    "day": {"type": "date"},
}  # fmt: skip
TRAINED = {
    "city": {"Gotham": 0.5, "Atlantis": 0.25, "unknown": 0.25}, "member": {"true": 1, "false": 1},
    "day": {"2026-01-01": 2, "2026-01-31": 1, "2026-02-01": 1}, "note": {"a": 1},
    "pixels": {"0": 1},
}  # fmt: skip


@pytest.fixture
def kinds(models_dir):
    estimator = DummyClassifier(strategy="prior").fit([[0] * 7] * 2, [0, 1])
    metadata = {"features": DESCRIBED, "baseline": TRAINED}
    bundles.install(models_dir, "arkham", "1.0.0", estimator, KINDS, bundles.FLAGS, metadata)
    return serving().active("arkham")


def ask_kinds(level, note="ab", first=0):
    rows = []
    for n in range(600):
        city = ["Gotham", "Gotham", "Atlantis", None][n % 4]
        day = ["2026-01-05", "2026-01-09", "2026-01-31", "2026-02-28"][n % 4]
        inputs = {"city": city, "level": level(n), "member": n % 2 == 0, "note": note,
                  "day": day, "pixels": [n, 1]}  # fmt: skip
        rows.append(entry(number=first + n, inputs=inputs))
    Store(connection).insert(rows, None)


@pytest.mark.slow
def test_each_kind_is_counted_in_its_own_way(kinds, monkeypatch):
    monkeypatch.setattr(drift, "FIRST", 600)
    ask_kinds(lambda n: n / 7 if n % 3 else None)
    ask_kinds(lambda n: n / 7 if n % 3 else None, note="abcdef", first=600)
    found = by_subject(drift.measure_drift(kinds))
    for name in ("city", "member", "day"):  # open labels, missing ones, months
        assert (found[name].against, round(found[name].psi, 6)) == ("the training data", 0), name
    assert found["level"].psi == pytest.approx(0)
    assert found["note (its length)"].psi > 5
    assert drift.not_measured(kinds) == ["pixels"]


@pytest.mark.slow
def test_a_missing_number_is_a_bin_of_its_own(kinds, monkeypatch):
    monkeypatch.setattr(drift, "FIRST", 600)
    ask_kinds(lambda n: n / 7)
    ask_kinds(lambda n: n / 7 if n % 2 else None, first=600)
    assert by_subject(drift.measure_drift(kinds))["level"].psi > 1


def test_what_is_hashed_is_compared_where_it_is_a_choice(kinds, settings):
    settings.LOG_HASHES = ["arkham.city", "arkham.level", "arkham.note"]
    assert drift.not_measured(kinds) == ["level", "note", "pixels"]
