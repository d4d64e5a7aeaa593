"""A system whose /dev/shm cannot be written: the server starts all the same."""

import os
import subprocess
import sys
from urllib.request import urlopen

import pytest

from tests import bundles
from tests.servers import ROOT, collect_static_files, manage, server_env, stop, wait_until_ready

pytestmark = pytest.mark.slow


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_it_starts_without_it(tmp_path):
    models = tmp_path / "models"
    bundles.install(models)
    env = server_env(tmp_path, models)
    manage(env, "migrate", "--verbosity", "0")
    collect_static_files()
    mounted = 'mount -t tmpfs -o ro none /dev/shm && ! touch /dev/shm/x && exec "$@"'
    command = [
        "unshare", "--mount", "sh", "-c", mounted, "sh", sys.executable, "-m", "gunicorn",
        "batcomputer.wsgi",
    ]  # fmt: skip
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{env['PORT']}"
        wait_until_ready(f"{url}/readyz", process, log)
        assert urlopen(f"{url}/api/info").status == 200
    finally:
        stop(process)
