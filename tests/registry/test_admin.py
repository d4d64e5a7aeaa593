"""Activation in Django admin: the proof first, then the button."""

import re
import shutil

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from predictor.artifacts.files import MODEL
from predictor.models import Activation, Trial
from predictor.serving.current import serving
from tests import bundles

pytestmark = pytest.mark.slow

PAGE = "/admin/predictor/activation/"
COMPARE = f"{PAGE}arkham/1.1.0/compare/"
ROLLBACK = f"{PAGE}arkham/rollback/"


@pytest.fixture
def versions(models_dir):
    """Arkham 1.0.0, which is active, and 1.1.0."""
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))
    Activation.objects.create(model="arkham", version="1.0.0", by="Alfred")
    return models_dir


def user_who_may(client, *permissions):
    user = User.objects.create_user("robin", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def answering():
    serving().refresh()
    return serving().active().version


def test_it_works(versions, admin_client):
    assert "Compare and activate" in text(admin_client.get(PAGE))
    page = text(admin_client.get(COMPARE))
    assert "The same features, labels and flags" in page
    assert "Mean change" in page
    assert page.index("Changing most") < page.index('value="Activate 1.1.0"')
    assert answering() == "1.0.0"
    done = admin_client.post(COMPARE, {"reason": "fewer escapes"}, follow=True)
    assert "Activated arkham 1.1.0" in text(done)
    row = Activation.objects.first()
    assert (row.version, row.by, row.reason) == ("1.1.0", "admin", "fewer escapes")
    assert answering() == "1.1.0"
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id) == ("admin", str(row.pk))
    assert "1.0.0 preceded" in entry.change_message


def test_it_rolls_back(versions, admin_client):
    assert "Roll arkham back" not in text(admin_client.get(PAGE))
    admin_client.post(COMPARE)
    assert "Roll arkham back" in text(admin_client.get(PAGE))
    admin_client.post(ROLLBACK, {"reason": "escapes again"})
    assert answering() == "1.0.0"
    assert LogEntry.objects.count() == 2
    assert "no earlier version" in text(admin_client.post(ROLLBACK, follow=True))


def test_every_version_says_what_became_of_it(versions, admin_client):
    for seed, version in enumerate(("1.2.0", "2.0.0", "3.0.0"), start=2):
        bundles.install(versions, version=version, estimator=bundles.fitted(seed))
    Activation.objects.create(model="arkham", version="1.1.0", previous="1.0.0", by="Robin")
    Activation.objects.create(model="arkham", version="1.2.0", previous="1.1.0", by="Robin")
    back = {"kind": "rollback", "version": "1.1.0", "previous": "1.2.0", "by": "watch_models"}
    Activation.objects.create(model="arkham", **back)
    Trial.objects.create(model="arkham", version="2.0.0", share=0.05, by="Robin")
    page = text(admin_client.get(PAGE))
    states = re.findall(r'<th scope="row">([^<]*)</th>\s*<td>(.*?)</td>', page, re.DOTALL)
    said = {version: " ".join(re.sub("<[^>]*>", "", state).split()) for version, state in states}
    day = f"{timezone.now():%Y-%m-%d}"
    assert said["3.0.0"] == "was never in service"
    assert said["2.0.0"] == "is being tried by 5 % of callers"
    assert said["1.2.0"].startswith(f"was rolled back by watch_models, {day} ")
    assert said["1.1.0"].startswith("answers")
    assert said["1.0.0"].startswith(f"answered until {day} ")
    Trial.objects.update(ended=timezone.now())
    assert f"was tried until {day} " in text(admin_client.get(PAGE))


def test_it_rejects_a_decision_made_of_another_version(versions, admin_client):
    page = text(admin_client.get(COMPARE))
    (seen,) = re.findall('name="instead_of" value="([^"]*)"', page)
    assert seen == "1.0.0"
    bundles.install(versions, version="1.2.0", estimator=bundles.fitted(2))
    Activation.objects.create(model="arkham", version="1.2.0", by="Robin")
    done = admin_client.post(COMPARE, {"instead_of": seen}, follow=True)
    assert "1.2.0 of arkham is in service now (activation by Robin)" in text(done)
    assert answering() == "1.2.0"


def test_it_rejects_a_broken_version(versions, admin_client):
    (versions / "arkham" / "1.1.0" / MODEL).write_bytes(b"no pickle")
    page = text(admin_client.get(COMPARE))
    assert "1.1.0 cannot be served: model.pkl" in page
    assert 'value="Activate' not in page
    assert "was not activated" in text(admin_client.post(COMPARE, follow=True))
    assert "refused: it cannot be served: model.pkl" in text(admin_client.get(PAGE))
    assert answering() == "1.0.0"
    assert not LogEntry.objects.exists()


def test_it_rejects_a_user_who_may_only_look(versions, client):
    user_who_may(client, "view_activation")
    assert "Compare and activate" not in text(client.get(PAGE))
    page = text(client.get(COMPARE))
    assert "Mean change" in page
    assert 'value="Activate' not in page
    assert client.post(COMPARE).status_code == 403
    assert client.post(ROLLBACK).status_code == 403
    assert answering() == "1.0.0"


def test_it_lets_a_user_activate_who_may(versions, client):
    user_who_may(client, "view_activation", "activate_version")
    assert client.post(COMPARE).status_code == 302
    assert Activation.objects.first().by == "robin"


def test_it_rejects_a_user_who_may_not_look(versions, client):
    user_who_may(client)
    assert client.get(PAGE).status_code == 403
    assert client.get(COMPARE).status_code == 403


def test_it_rejects_what_there_is_not(versions, admin_client):
    for path in ("arkham/9.9.9/compare/", "nobody/1.0.0/compare/"):
        assert admin_client.get(PAGE + path).status_code == 404
    assert admin_client.get(ROLLBACK).status_code == 405


def test_it_rejects_an_unusable_reason(versions, admin_client):
    page = admin_client.post(COMPARE, {"reason": "x" * 501}, follow=True)
    assert "Nothing was switched" in text(page)
    assert answering() == "1.0.0"


def test_the_version_that_answers_is_not_compared_with_itself(versions, admin_client):
    page = text(admin_client.get(f"{PAGE}arkham/1.0.0/compare/"))
    assert "This version answers now" in page
    assert "Mean change" not in page


def test_other_files_of_the_active_version_are_compared_and_activated(versions, admin_client):
    admin_client.post(COMPARE)
    assert answering() == "1.1.0"
    shutil.rmtree(versions / "arkham" / "1.1.0")
    bundles.install(versions, version="1.1.0", estimator=bundles.fitted(7))
    page = text(admin_client.get(COMPARE))
    assert "beside the files that have its name now" in page
    assert "Changing most" in page
    before = serving().active().sha256
    admin_client.post(COMPARE, {"instead_of": "1.1.0"})
    assert answering() == "1.1.0"
    assert serving().active().sha256 != before


def test_the_list_says_what_answers_in_place_of_a_version_that_cannot(versions, admin_client):
    admin_client.post(COMPARE)
    (versions / "arkham" / "1.1.0" / MODEL).write_bytes(b"no pickle")
    assert answering() == "1.0.0"
    page = text(admin_client.get(PAGE))
    assert page.index("is to answer, and cannot") < page.index("answers in its place")


def test_a_pinned_model_shows_no_buttons(versions, admin_client, settings):
    settings.MODEL_VERSION = "1.0.0"
    serving.cache_clear()
    page = text(admin_client.get(PAGE))
    assert "pinned to 1.0.0 by MODEL_VERSION" in page
    assert "and activate" not in page
    assert 'value="Activate' not in text(admin_client.get(COMPARE))
    assert "is pinned" in text(admin_client.post(COMPARE, follow=True))
