"""The OpenAPI document in the eyes of others' linters: no error, and no warning."""

import json
import os
import shutil
import subprocess

import pytest

from tests import bundles
from tests.artifacts import test_kinds as every_kind
from tests.servers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

TOOLS = ROOT / ".clients/linters/node_modules"  # scripts/test installs them from npm
RULES = ROOT / "tests/delivery"
LINTERS = {
    "redocly": lambda *documents: [
        TOOLS / "@redocly/cli/bin/cli.js", "lint", *documents, "--config", RULES / "redocly.yaml",
        "--format", "json",
    ],
    "spectral": lambda *documents: [
        TOOLS / "@stoplight/spectral-cli/dist/index.js", "lint", *documents, "--ruleset",
        RULES / "spectral.yaml", "--fail-severity", "hint",
    ],
}  # fmt: skip


@pytest.fixture
def documents(models_dir, settings, client, tmp_path):
    """The documents of servers without a model, with several, and with required keys."""
    if shutil.which("node") is None or not TOOLS.is_dir():
        pytest.skip("the linters are not installed: scripts/test does it, with npm")
    settings.MODEL_ALLOW_MODULES = [every_kind.since_2026.__module__]
    kept = [tmp_path / f"{name}.json" for name in ("no-model", "models", "keys")]
    kept[0].write_bytes(client.get("/swagger.json").content)
    bundles.install(models_dir)
    bundles.install(
        models_dir, "every.kind", "1", every_kind.model(), every_kind.LOOKUP, ["value"],
        every_kind.METADATA,
    )  # fmt: skip
    kept[1].write_bytes(client.get("/swagger.json").content)
    settings.API_KEY_REQUIRED = True
    kept[2].write_bytes(client.get("/swagger.json").content)
    return kept


def lint(linter, *documents):
    """(exit code, output) of a linter that takes any remark for a failure."""
    done = subprocess.run(
        ["node", *LINTERS[linter](*documents)],
        capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("linter", "clean"), [("redocly", '"problems": []'), ("spectral", "No results")]
)
def test_it_is_clean(documents, linter, clean):
    code, said = lint(linter, *documents)
    assert (code, clean in said) == (0, True), said
    document = json.loads(documents[1].read_text())
    document["paths"]["/api/info"]["get"]["operationId"] = "predict"  # which another one has
    documents[1].write_text(json.dumps(document))
    code, said = lint(linter, documents[1])
    assert (code == 0, clean in said) == (False, False), said
