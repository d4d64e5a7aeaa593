"""The commands about versions, as an operator types them."""

import shutil

import pytest
from django.core.management import CommandError, call_command

from predictor.artifacts.files import MODEL
from predictor.management.registry_command import operator
from predictor.models import Activation
from tests import bundles
from tests.azurite import KEY


@pytest.fixture
def run(models_dir, capsys):
    """Runs a command; returns its output."""

    def command(*arguments):
        call_command(*arguments)
        return capsys.readouterr().out

    return command


@pytest.fixture
def versions(models_dir):
    for seed, version in enumerate(("1.9.0", "1.10.0")):
        bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))
    return models_dir


@pytest.fixture
def registry(account, settings):
    """The settings lead to an empty storage account."""
    settings.AZURE_STORAGE_ACCOUNT, settings.AZURE_STORAGE_KEY = account.url, KEY
    settings.BLOB_CONTAINER = "arkham"
    return account


def test_another_program_says_who_decided(versions, run):
    people = {"1.9.0": ("x" * 300, "x" * 200), "1.10.0": (" ", operator())}
    for version, (given, kept) in people.items():
        run("activate_model", "arkham", version, "--by", given)
        assert Activation.objects.first().by == kept
    run("rollback_model", "arkham", "--by", "Gordon (pipeline)")
    assert Activation.objects.first().by == "Gordon (pipeline)"


def test_it_works(versions, run):
    assert run("list_models").split() == ["arkham", "1.9.0", "here", "1.10.0", "here", "answers"]
    printed = run("activate_model", "arkham", "1.9.0", "--reason", "fewer escapes")
    assert printed == "arkham 1.9.0 is active; 1.10.0 was before\n"
    row = Activation.objects.get()
    assert (row.version, row.reason) == ("1.9.0", "fewer escapes")
    assert row.by.endswith("command line)")
    assert "1.9.0                here         answers\n" in run("list_models", "arkham")
    printed = run("rollback_model", "arkham")
    assert printed == "arkham 1.10.0 is active again; 1.9.0 was before\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("activate_model", "arkham", "7"), r"has no version '7' of arkham: it has 1\.9\.0"),
        (("activate_model", "robin", "1.0.0"), "no version of robin; its models: arkham"),
        (("score_file", "robin", "in.csv", "out.csv"), "no version of robin; its models: arkham"),
        (("export_truth", "robin", "out.csv"), "no version of robin; its models: arkham"),
        (("activate_model", "../etc", "1.0.0"), "cannot name a model"),
        (("rollback_model", "arkham"), "no earlier version"),
        (("compare_models", "arkham", "1.9.0", "7"), "has no version '7'"),
        (("publish_model", "arkham"), "set AZURE_STORAGE_ACCOUNT"),
        (("fetch_model", "arkham", "2.0.0"), "set AZURE_STORAGE_ACCOUNT"),
        (("list_models", "--remote"), "set AZURE_STORAGE_ACCOUNT"),
    ],
)
def test_it_rejects_in_one_sentence(versions, run, arguments, sentence):
    with pytest.raises(CommandError, match=sentence) as raised:
        run(*arguments)
    assert "\n" not in str(raised.value)


def test_a_version_that_is_here_is_not_fetched(versions, run):
    assert "was in the folder" in run("fetch_model", "arkham", "1.9.0")
    (versions / "arkham" / "1.9.0" / MODEL).write_bytes(b"no pickle")
    with pytest.raises(CommandError, match=r"model\.pkl"):
        run("fetch_model", "arkham", "1.9.0")


@pytest.mark.slow
def test_versions_travel(versions, registry, run):
    for version in ("1.9.0", "1.10.0"):
        assert f"arkham {version} is published" in run("publish_model", "arkham", version)
    with pytest.raises(CommandError, match="exists already in Azure account gotham"):
        run("publish_model", "arkham")
    shutil.rmtree(versions / "arkham")
    assert "arkham 1.10.0 is checked and now in" in run("fetch_model")
    assert "1.9.0                azure\n" in run("list_models", "--remote")
    assert "arkham 1.10.0 is checked; it was in the folder" in run("fetch_model")
    with pytest.raises(CommandError, match="there is no such container"):
        run("fetch_model", "blackgate")
