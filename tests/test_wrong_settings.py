"""A setting that cannot be read stops the server, with its name in the message."""

import ast
import inspect

import pytest
from django.core.exceptions import ImproperlyConfigured

from batcomputer import settings as project
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.policy import Policy


def read_by(method):
    """Names and defaults of the settings that ``env.<method>`` reads."""
    for call in ast.walk(ast.parse(inspect.getsource(project))):
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=attribute),
                args=[ast.Constant(value=name)],
            ) if attribute == method:
                yield name


def ask(monkeypatch, method, name, text, default):
    monkeypatch.setenv(name, text)
    return getattr(project.env, method)(name, default=default)


SLIPS = {
    "bool": ("ture", "ja", "2", "none", "false false"),
    "int": ("many", "-1", "1.5", "1e3", "10 MB"),
    "float": ("0,25", "nan", "inf", "-1", "0", "25%"),
}


@pytest.mark.parametrize("method", SLIPS)
def test_a_slip_stops_the_server(monkeypatch, method):
    names = list(read_by(method))
    assert names
    for name in names:
        for text in SLIPS[method]:
            with pytest.raises(ImproperlyConfigured, match=f"{name} is {text!r}; it must be a? ?"):
                ask(monkeypatch, method, name, text, 1)


def test_an_empty_value_is_the_default(monkeypatch):
    """A copied ``API_KEY_REQUIRED=`` must not open a deployment's API."""
    for method in SLIPS:
        for name in read_by(method):
            assert ask(monkeypatch, method, name, "", 7) == 7
            assert ask(monkeypatch, method, name, " ", 7) == 7
    for name in read_by("path"):
        assert str(ask(monkeypatch, "path", name, "", "/models")) == "/models"


@pytest.mark.parametrize("text", ["true", "True", "on", "yes", "1", " true "])
def test_yes_in_any_spelling(monkeypatch, text):
    assert ask(monkeypatch, "bool", "HTTPS", text, False) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "off", "no", "0"])
def test_no_in_any_spelling(monkeypatch, text):
    assert ask(monkeypatch, "bool", "HTTPS", text, True) is False


def test_lists_may_have_spaces(monkeypatch):
    for name in read_by("list"):
        assert ask(monkeypatch, "list", name, "one.example, two.example ,", []) == [
            "one.example",
            "two.example",
        ]


def test_the_least_whole_number(monkeypatch):
    with pytest.raises(ImproperlyConfigured, match=r"SCORERS is '0'; .* whole number of 1 or more"):
        ask(monkeypatch, "int", "SCORERS", "0", 1)
    assert ask(monkeypatch, "int", "TABLE_CELLS", "0", 1) == 0


def test_a_secret_may_begin_with_a_dollar(monkeypatch):
    assert ask(monkeypatch, "str", "RETRAIN_SECRET", "$3cret", "") == "$3cret"


@pytest.mark.parametrize(
    ("method", "name", "text"),
    [
        ("db_url", "DATABASE_URL", "postgres://bat:s3cr?et@db.example/log"),
        ("db_url", "DATABASE_URL", "postgres://bat:s3cr/et@db.example/log"),
        ("db_url", "DATABASE_URL", "postgres://bat:s3cret@db.example:port/log"),
        ("db_url", "DATABASE_URL", "mysql://bat:s3cret@db.example/log"),
        ("db_url", "DATABASE_URL", "s3cret"),
        ("db_url", "DATABASE_URL", ""),
        ("cache_url", "CACHE_URL", "memory://s3cret"),
        ("cache_url", "CACHE_URL", "s3cret"),
        ("email_url", "EMAIL_URL", "smtp://bat:s3cr#et@mail.example"),
        ("email_url", "EMAIL_URL", "mail.example"),
    ],
)
def test_a_wrong_url_is_named_and_not_shown(monkeypatch, method, name, text):
    with pytest.raises(ImproperlyConfigured, match=name) as error:
        ask(monkeypatch, method, name, text, "")
    assert "s3cr" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("MODEL_MAX_MB", "0"), ("MODEL_ALLOW_OTHER_SKLEARN", "ja"), ("TABLE_CELLS", "-1")],
)
def test_programs_without_django_refuse_the_same(name, text):
    with pytest.raises(ArtifactError, match=f"{name} is '{text}'; it must be"):
        Policy.from_environment({name: text})
