"""Admin's door: wrong passwords lock an address out for a while."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db


@pytest.fixture
def door(settings):
    settings.AXES_ENABLED = True
    User.objects.create_superuser("alfred", password="earl grey")
    return Client()


def knock(door, password, address="203.0.113.9"):
    form = {"username": "alfred", "password": password, "next": "/admin/"}
    return door.post("/admin/login/", form, REMOTE_ADDR=address).status_code


def test_it_works(door):
    assert knock(door, "earl grey") == 302


@pytest.mark.slow
def test_it_locks_out_who_guesses(door):
    assert [knock(door, f"guess {n}") for n in range(5)] == [200, 200, 200, 200, 429]
    assert knock(door, "earl grey") == 429
    assert knock(door, "earl grey", "203.0.113.10") == 302, "others are not locked out"


def test_it_says_when_to_come_back(door):
    for n in range(5):
        knock(door, f"guess {n}")
    form = {"username": "alfred", "password": "earl grey"}
    response = door.post("/admin/login/", form, REMOTE_ADDR="203.0.113.9")
    assert response["Retry-After"] == "900"
    page = response.content.decode()
    assert "Too many wrong passwords from your address; try again in 15 minutes." in page
    assert "</html>" in page


@pytest.mark.slow
def test_trying_again_does_not_prolong_it(door):
    for n in range(5):
        knock(door, f"guess {n}")
    long_ago = timezone.now() - timedelta(minutes=14)
    AccessAttempt.objects.update(attempt_time=long_ago)
    assert knock(door, "guess again") == 429
    assert AccessAttempt.objects.get().attempt_time == long_ago
    AccessAttempt.objects.update(attempt_time=long_ago - timedelta(minutes=2))
    assert knock(door, "earl grey") == 302


def test_it_leads_nowhere_else(door):
    form = {"username": "alfred", "password": "earl grey", "next": "https://evil.example/"}
    assert door.post("/admin/login/", form)["Location"] == "/admin/"


@pytest.mark.slow
def test_an_administrator_can_unlock(door):
    for n in range(5):
        knock(door, f"guess {n}")
    AccessAttempt.objects.all().delete()
    assert knock(door, "earl grey") == 302
