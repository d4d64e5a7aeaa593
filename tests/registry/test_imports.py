"""Libraries that the server process does not import."""

import subprocess
import sys

import pytest

from tests.servers import ROOT, server_env

pytestmark = pytest.mark.slow


def test_the_server_imports_nothing_of_azure(tmp_path):
    script = (
        "import sys, batcomputer.wsgi, predictor.urls, predictor.admin; "
        "print([name for name in sys.modules if name.startswith(('azure', 'msal'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**server_env(tmp_path, tmp_path), "DJANGO_SETTINGS_MODULE": "batcomputer.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n", done.stderr
