"""The ``batcomputer`` command, where its server listens, and ``save_model``."""

import os
import re
import socket
import subprocess
import sys

import pytest

from batcomputer import __main__ as command
from batcomputer import home, port, save_model
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.policy import Policy
from predictor.artifacts.version import load_version
from tests import bundles
from tests.servers import ROOT, server_env


def test_it_names_its_commands(capsys):
    command.main([])
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in ("serve", "verify", "publish", "manage"))
    with pytest.raises(SystemExit, match="there is no command 'sreve'"):
        command.main(["sreve"])


@pytest.mark.parametrize("name", command.COMMANDS)
def test_only_what_needs_the_server_asks_for_its_packages(name, monkeypatch, capsys):
    find = command.find_spec
    monkeypatch.setattr(command, "find_spec", lambda n: None if n == "django" else find(n))
    with pytest.raises(SystemExit) as end:
        command.main([name, "--help"])
    if command.COMMANDS[name].needs_server:
        assert "django is not installed: pip install 'batcomputer[server]'" in str(end.value)
    else:
        assert end.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: batcomputer {name}")


def test_verify_says_what_is_wrong(tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit) as end:
        command.main(["verify", str(tmp_path / "none/1.0.0")])
    assert end.value.code == 1
    assert "there is no folder" in capsys.readouterr().out
    monkeypatch.setenv("MODEL_MAX_MB", "many")
    with pytest.raises(SystemExit, match="MODEL_MAX_MB is 'many'; it must be a whole number"):
        command.main(["verify", str(tmp_path)])


def test_verify_accepts_what_can_be_served(tmp_path, capsys):
    folder = bundles.install(tmp_path)
    with pytest.raises(SystemExit) as end:
        command.main(["verify", str(folder)])
    assert end.value.code == 0
    assert "verdict    accepted" in capsys.readouterr().out


@pytest.mark.slow
def test_programs_without_django_have_the_server_s_policy(tmp_path):
    """Commands obey the same settings; only the server stores its verdicts."""
    script = (
        "import os; from predictor.artifacts.policy import Policy, Policy;"
        "from predictor.serving.loading import model_policy; from dataclasses import replace;"
        "policy = Policy.from_environment(os.environ);"
        "assert replace(model_policy(), store=None) == policy != Policy()"
    )
    policies = [
        {"MODEL_MAX_MB": "7", "MODEL_MAX_MEMORY_MB": "900", "MODEL_MAX_SECONDS": "9"},
        {"MODEL_ALLOW_MODULES": "lightgbm.sklearn, xgboost", "TABLE_CELLS": "0"},
        {"MODEL_ALLOW_OTHER_SKLEARN": "True", "MODEL_PUBLIC_KEY": "a key"},
        {"SCORER_CONFINEMENT": "required"},
    ]
    for settings in policies:
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", script],
            cwd=ROOT, env=server_env(tmp_path, tmp_path, **settings), timeout=60, check=True,
        )  # fmt: skip
    assert Policy.from_environment({"MODEL_ALLOW_OTHER_SKLEARN": "off"}) == Policy()


def test_save_model_writes_what_a_server_serves(tmp_path):
    folder = save_model(
        bundles.fitted(), str(tmp_path / "arkham/1.0.0"),
        lookup=bundles.LOOKUP, flags=bundles.FLAGS, metadata={"title": "Arkham"},
    )  # fmt: skip
    loaded = load_version(folder)
    assert loaded.title == "Arkham"
    assert loaded.contract.flag_names == bundles.FLAGS
    with pytest.raises(ArtifactError, match="versions are final"):
        save_model(bundles.fitted(), folder, lookup=bundles.LOOKUP, flags=bundles.FLAGS)


@pytest.fixture
def no_settings_file(monkeypatch, tmp_path):
    """The tests ignore this machine's .env."""
    monkeypatch.setattr(home, "CODE", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    for name in ("HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["verify", "publish"])
@pytest.mark.usefixtures("no_settings_file")
def test_the_settings_file_counts_for_every_command(name, tmp_path):
    (tmp_path / ".env").write_text("MODEL_MAX_MB='many'\n")
    with pytest.raises(SystemExit, match="MODEL_MAX_MB is 'many'"):
        command.main([name, str(bundles.install(tmp_path))])


@pytest.mark.usefixtures("no_settings_file")
def test_publishing_names_the_extra_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "predictor.registry.azure", None)
    with pytest.raises(SystemExit, match=r"pip install 'batcomputer\[azure\]'"):
        command.main(["publish", str(bundles.install(tmp_path))])


@pytest.mark.parametrize(
    ("host", "number", "sentence"),
    [
        ("127.0.0.1", "http", "PORT is 'http'; it must be a number from 1 to 65535"),
        ("127.0.0.1", "70000", "PORT is '70000'; it must be a number"),
        ("192.0.2.1", "8000", "cannot listen on port 8000 of 192.0.2.1: Cannot assign requested"),
        ("no.such.host.invalid", "8000", "cannot listen on port 8000 of no.such.host.invalid"),
    ],
)
@pytest.mark.usefixtures("no_settings_file")
def test_it_says_why_it_cannot_listen(host, number, sentence, monkeypatch):
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", number)
    with pytest.raises(port.CannotListen, match=re.escape(sentence)):
        port.check_address()


@pytest.mark.parametrize(
    ("host", "number", "listens"),
    [
        ("", "", "127.0.0.1:8000"),  # not on all addresses
        (" ", " 9000 ", "127.0.0.1:9000"),
        ("::1", "8000", "[::1]:8000"),
        ("[::]", "8000", "[::]:8000"),
        ("localhost", "8000", "localhost:8000"),
    ],
)
@pytest.mark.usefixtures("no_settings_file")
def test_where_it_listens(host, number, listens, monkeypatch):
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", number)
    assert "{}:{}".format(*port.address()) == listens


@pytest.mark.usefixtures("no_settings_file")
def test_a_port_is_taken_only_while_somebody_listens(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(number))
        with pytest.raises(port.CannotListen, match=f"port {number} of 127.0.0.1 is in use"):
            port.check_address()
        with socket.create_connection(other.getsockname()):
            other.accept()[0].close()  # its end waits for a minute in the system
    port.check_address()


@pytest.mark.usefixtures("no_settings_file")
def test_the_data_are_in_the_current_folder_unless_it_runs_from_a_clone(tmp_path, monkeypatch):
    assert home.home() == tmp_path
    (tmp_path / ".env").write_text("PORT=9000\nHOST=0.0.0.0\n")
    monkeypatch.setenv("HOST", "127.0.0.1")
    assert port.address() == ("127.0.0.1", "9000")
    assert "PORT" not in os.environ, "a later change of .env must count"
    home.make_local_secret()
    secret = (tmp_path / ".secret-key").read_text()
    home.make_local_secret()
    assert (tmp_path / ".secret-key").read_text() == secret
    assert len(secret.strip()) >= 32
    monkeypatch.setattr(home, "CODE", ROOT)
    assert home.home() == ROOT
