"""A fetch that is killed leaves nothing a server could take for a version."""

import json
import subprocess
import sys

import pytest

from predictor.artifacts.version import load_version
from predictor.registry.azure import AzureRegistry
from predictor.registry.local import LocalRegistry
from tests.lengths import length
from tests.servers import ROOT

pytestmark = pytest.mark.slow

KILLS = length(15, 50)

# A separate process, because it forks a child for every fetch; prints what it saw.
FETCH_AND_KILL = '''
import json, os, random, shutil, signal, sys, time
from pathlib import Path
from predictor.artifacts.policy import Policy
from predictor.artifacts.version import load_version
from predictor.registry.azure import AzureRegistry
from predictor.registry.local import LocalRegistry

kills, policy = int(sys.argv[2]), Policy(store=Path(sys.argv[1], ".checked"))
here = LocalRegistry(Path(sys.argv[1]), policy)
seen = {"drafts": 0, "versions": 0, "killed": 0}

def fetch(seconds):
    """Fetch in a child that is killed after so many seconds; its time when it was faster."""
    child, started = os.fork(), time.monotonic()
    if child == 0:
        AzureRegistry.from_environment(os.environ, policy).fetch("arkham", "1.0.0", here.root)
        os._exit(0)
    while time.monotonic() < started + seconds:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return time.monotonic() - started
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

whole = fetch(60)
while seen["killed"] < kills:
    shutil.rmtree(here.root / "arkham", ignore_errors=True)
    faster = fetch(random.uniform(0, 1.1 * whole))
    whole = faster or whole
    seen["killed"] += faster is None
    seen["drafts"] += any((here.root / ".incoming").glob("*/*/*"))
    for model in here.models():
        for version in here.versions(model):
            load_version(here.folder(model, version), policy, chosen=True)
            seen["versions"] += 1
shutil.rmtree(here.root / "arkham", ignore_errors=True)
print(json.dumps(seen))
'''


def test_it_works(account, heavy, tmp_path):
    registry, here = AzureRegistry.from_environment(account.environment), tmp_path / "here"
    registry.publish(heavy)
    done = subprocess.run(
        [sys.executable, "-c", FETCH_AND_KILL, str(here), str(KILLS)],
        cwd=ROOT, env=account.environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["killed"] == KILLS
    assert seen["drafts"] > KILLS // 4  # or the kills prove little
    assert LocalRegistry(here).models() == []
    fetched = registry.fetch("arkham", "1.0.0", here)
    assert load_version(fetched).sha256 == load_version(heavy).sha256
    assert sorted(path.name for path in here.iterdir()) == [
        ".checked",
        ".incoming.lock",
        "arkham",
    ]
