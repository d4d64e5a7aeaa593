"""Who asked, with what reference, and what of the request is kept."""

import pytest

from predictor.log import refusals
from predictor.log.privacy import pseudonym
from predictor.models import Prediction, Refusal
from tests import bundles
from tests.bundles import ITEM

pytestmark = pytest.mark.django_db


def test_it_works(arkham, post):
    post(ITEM, **{"X-Reference": "case 42"})
    row = Prediction.objects.get()
    assert row.reference == "case 42"
    assert row.source == "api"
    assert row.top_flag in {"escapes", "jailed"}
    assert row.top_flag == max(row.scores, key=row.scores.get)
    assert row.duration > 0


def test_an_address_is_kept_as_a_salted_hash(arkham, client, settings):
    for secret in ("a" * 40, "b" * 40):
        settings.SECRET_KEY = secret
        pseudonym.cache_clear()
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            client.post("/api/predict", ITEM, "application/json", REMOTE_ADDR=address)
    callers = [p.caller for p in Prediction.objects.order_by("id")]
    assert callers[0] == callers[1]
    assert len(set(callers)) == 4
    assert not any("192" in caller for caller in callers)


def test_a_reference_is_printable(arkham, post):
    post(ITEM, **{"X-Reference": "a\tb" + "c" * 197})
    assert Prediction.objects.get().reference == "ab" + "c" * 197


def test_the_time_is_the_ids_own(arkham, post):
    post(ITEM)
    row = Prediction.objects.get()
    assert int(row.time.timestamp() * 1000) == row.id.int >> 80


def test_a_number_of_more_than_64_bits_is_kept(arkham, models_dir, post):
    bundles.install(models_dir, "unbounded", metadata={})
    assert post(ITEM | {"hour": 10**20}, "/api/models/unbounded/predict").status_code == 200
    assert Prediction.objects.get().inputs["hour"] == 10**20


def test_fields_can_be_left_out_or_hashed(arkham, post, settings):
    settings.LOG_LEAVES_OUT = ["arkham.hour", "titanic.city"]
    settings.LOG_HASHES = ["arkham.villain"]
    post(ITEM)
    post(ITEM)
    first, second = Prediction.objects.all()
    assert first.inputs == second.inputs
    assert first.inputs.keys() == {"city", "villain"}
    assert first.inputs["city"] == "Gotham"
    assert first.inputs["villain"].startswith("hash:")
    assert "Joker" not in str(first.inputs)


@pytest.mark.slow
def test_a_hashed_field_is_shown_and_is_no_part_of_a_link(models_dir, admin_client, post, settings):
    metadata = {"features": {"hour": {"minimum": 0, "maximum": 23}}}
    bundles.install(models_dir, metadata=metadata)
    settings.LOG_HASHES = ["arkham.villain", "arkham.hour"]
    post(ITEM)
    row = Prediction.objects.get()
    assert row.inputs["hour"].startswith("hash:")
    for path in ("", f"{row.pk}/change/"):
        page = admin_client.get(f"/admin/predictor/prediction/{path}").content.decode()
        assert row.inputs["hour"] in page  # a number's own words could not be said of it
    assert f'href="/arkham/case/{row.pk}"' in page
    printout = admin_client.get(f"/arkham/case/{row.pk}").content.decode()
    assert 'href="/arkham/?city=Gotham"' in printout


def test_a_private_field_is_not_counted_by_its_text_either(arkham, post, settings):
    settings.LOG_LEAVES_OUT, settings.LOG_HASHES = ["arkham.city"], ["arkham.villain"]
    post(ITEM | {"city": "Wayne Manor", "villain": "Jack Napier"})
    post(ITEM | {"city": "Batcave"})
    refusals.flush()
    counted = {(r.field, r.value): r.count for r in Refusal.objects.filter(kind="unknown label")}
    assert counted == {("city", ""): 2, ("villain", ""): 1}
