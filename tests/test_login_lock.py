"""Admin's door: wrong passwords lock an address out for a while."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client

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


def test_it_locks_out_who_guesses(door):
    assert [knock(door, f"guess {n}") for n in range(5)] == [200, 200, 200, 200, 429]
    assert knock(door, "earl grey") == 429
    assert knock(door, "earl grey", "203.0.113.10") == 302, "others are not locked out"


def test_an_administrator_can_unlock(door):
    for n in range(5):
        knock(door, f"guess {n}")
    AccessAttempt.objects.all().delete()
    assert knock(door, "earl grey") == 302
