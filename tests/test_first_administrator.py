"""Who starts a server on a terminal is offered to make the first administrator."""

import os
import pty
import select
import subprocess
import sys

import pytest

from tests.servers import ROOT, manage, server_env

pytestmark = pytest.mark.slow
PROGRAM = [sys.executable, "-m", "batcomputer.commands.first_administrator"]
NAMES = (
    "from django.contrib.auth.models import User; print([u.username for u in User.objects.all()])"
)
PROMPTS = (b"): ", b"Password: ")


def talk(env, *answers):
    """The program's output on a terminal on which a person types ``answers`` to its prompts."""
    own, its = pty.openpty()
    process = subprocess.Popen(
        PROGRAM, cwd=ROOT, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    said, waiting, seen = b"", list(answers), 0
    while select.select([own], [], [], 20)[0]:
        try:
            said += os.read(own, 4096)
        except OSError:  # the program has ended
            break
        if waiting and said[seen:].endswith(PROMPTS):
            seen = len(said)
            os.write(own, waiting.pop(0).encode())
    assert process.wait(20) == 0, said
    os.close(own)
    return said.decode()


def test_it_works(tmp_path):
    env = server_env(tmp_path, tmp_path / "models")
    manage(env, "migrate", "--verbosity", "0")
    assert "no administrator" in talk(env, "\n")
    assert "no administrator" in talk(env, "bruce\n", "\x04")
    assert "Traceback" not in talk(env, "\x04")
    assert manage(env, "shell", "--no-imports", "-c", NAMES).strip() == "[]"
    said = talk(env, "b@d name!\n", "bruce\n", "alfred-pennyworth\n", "alfred-pennyworth\n")
    assert "Enter a valid username" in said
    assert "alfred-pennyworth" not in said
    assert manage(env, "shell", "--no-imports", "-c", NAMES).strip() == "['bruce']"
    assert talk(env) == ""
