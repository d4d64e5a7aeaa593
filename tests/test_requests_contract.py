"""The OpenAPI document is true: schemathesis sends valid and invalid requests, and sequences.

All its checks, positive and negative data, against the running service with each demo model.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from predictor.artifacts.version import load_version
from tests import bundles
from tests.lengths import length
from tests.servers import ROOT, batcomputer

pytestmark = pytest.mark.slow
EXAMPLES = length(10, 100)  # per operation


def fuzz(url: str, item: dict, folder: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={ROOT / 'tests' / 'contract.toml'}",
        "run", f"{url}/swagger.json", "--checks=all", f"--max-examples={EXAMPLES}", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CONTRACT_ITEM": json.dumps(item), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " 0 operations" not in done.stdout
    print(done.stdout[-1200:])  # the counts, for who runs it with -s


def test_it_works(tmp_path):
    bundles.install(tmp_path / "models")
    with batcomputer(tmp_path, tmp_path / "models") as server:
        fuzz(server.url, bundles.ITEM, tmp_path)


@pytest.mark.parametrize("name", ["crime", "titanic"])
def test_it_works_with_the_demo_models(name, trained, tmp_path):
    models = tmp_path / "models"
    version = shutil.copytree(trained(name), models / name / "1.0.0")
    contract = load_version(version).contract
    item = {feature.name: feature.example() for feature in contract.features}
    with batcomputer(tmp_path, models, DEFAULT_MODEL=name) as server:
        fuzz(server.url, item, tmp_path)
