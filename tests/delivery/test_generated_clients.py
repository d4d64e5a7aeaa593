"""Clients that others' generators make of the document: they type-check, and call the service."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests import bundles
from tests.artifacts import test_kinds as every_kind
from tests.servers import ROOT, batcomputer

pytestmark = pytest.mark.slow

TYPESCRIPT = ROOT / ".typescript"  # scripts/test installs it from npm
ITEM = every_kind.ITEM

PYTHON = """
import datetime
import sys

from batcomputer_client import Client
from batcomputer_client.api.api import predict_m
from batcomputer_client.models import MItem, MItemCode, MScores, Problem

item = MItem(
    code=MItemCode.B, city="Łódź", size="m", level=0.5, count=3, member=True, note="the joker",
    day=datetime.date(2026, 2, 3), at="2026-02-03T04:05:00", pixels=[0.25, -1.0],
)
client = Client(base_url=sys.argv[1])
one = predict_m.sync(client=client, body=item)
assert isinstance(one, MScores)
item.level = None
many = predict_m.sync(client=client, body=[item, item])
assert isinstance(many, list)
item.count = 99
refused = predict_m.sync(client=client, body=item)
assert isinstance(refused, Problem)
print(one.value, *[scores.value for scores in many], refused.status)
"""
SCRIPT = """
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Media = "application/json" | "application/problem+json";
const client = createClient<paths, Media>({ baseUrl: process.argv[2]! });
const item: components["schemas"]["m.item"] = {
  code: "b", city: "Łódź", size: "m", level: 0.5, count: 3, member: true, note: "the joker",
  day: "2026-02-03", at: "2026-02-03T04:05:00", pixels: [0.25, -1],
};
const ask = (body: typeof item | (typeof item)[]) =>
  client.POST("/api/models/m/predict", { body });
const one = await ask(item);
const many = await ask([{ ...item, level: null }, { ...item, level: undefined! }]);
const refused = await ask({ ...item, count: 99 });
if (!one.data || Array.isArray(one.data) || !Array.isArray(many.data) || !refused.error)
  throw new Error(JSON.stringify([one, many, refused]));
console.log(one.data.value, ...many.data.map((scores) => scores.value), refused.error.status);
"""
WRONG = 'const wrong: components["schemas"]["m.item"]["code"] = "z";'
COMPILER = {
    "strict": True, "exactOptionalPropertyTypes": False, "noUncheckedIndexedAccess": True,
    "module": "nodenext", "target": "es2022", "types": ["node"], "outDir": "out",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """It serves a model with one feature of every kind."""
    folder = tmp_path_factory.mktemp("clients")
    bundles.install(
        folder / "models", "m", "1", every_kind.model(), every_kind.LOOKUP, ["value"],
        every_kind.METADATA,
    )  # fmt: skip
    allowed = every_kind.since_2026.__module__
    settings = {"DEFAULT_MODEL": "m", "MODEL_ALLOW_MODULES": allowed, "PYTHONPATH": str(ROOT)}
    with batcomputer(folder, folder / "models", **settings) as running:
        (folder / "document.json").write_bytes(
            urlopen(f"{running.url}/swagger.json", timeout=60).read()
        )
        yield running


@pytest.fixture
def document(server):
    return server.log.parent / "document.json"


def run(*words, cwd, **env):
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**os.environ, **env}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def own_answers():
    return [every_kind.own(every_kind.model(), ITEM | {"level": level})
            for level in (0.5, None, None)]  # fmt: skip


def test_python(server, document, tmp_path):
    pytest.importorskip("openapi_python_client")
    said = run(
        sys.executable, "-m", "openapi_python_client", "generate", "--path", document,
        "--meta", "none", "--output-path", tmp_path / "batcomputer_client", cwd=tmp_path,
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # for its formatter
    )  # fmt: skip
    # it makes clients of JSON alone
    assert said.count("WARNING") == said.count("Unsupported content type text/csv") == 2, said
    (tmp_path / "caller.py").write_text(PYTHON)
    # in silence of what it takes over as it is: its own client.py is not strict
    parts = ["caller.py", "batcomputer_client/models", "batcomputer_client/api"]
    strict = ["--strict", "--follow-imports", "silent"]
    run(sys.executable, "-m", "mypy", *strict, *parts, cwd=tmp_path)
    *scores, status = run(sys.executable, "caller.py", server.url, cwd=tmp_path).split()
    assert [float(score) for score in scores] == own_answers()
    assert status == "400"


def test_typescript(server, document, tmp_path):
    node = shutil.which("node")
    if node is None or not (TYPESCRIPT / "node_modules").is_dir():
        pytest.skip("TypeScript is not installed: scripts/test does it, with npm")
    tools = TYPESCRIPT / "node_modules"
    (tmp_path / "node_modules").symlink_to(tools)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER}))
    run(node, tools / "openapi-typescript/bin/cli.js", document, "-o", "schema.d.ts", cwd=tmp_path)
    (tmp_path / "caller.ts").write_text(SCRIPT)
    compiler = tools / "typescript/bin/tsc"
    run(node, compiler, cwd=tmp_path)
    *scores, status = run(node, "out/caller.js", server.url, cwd=tmp_path).split()
    assert [float(score) for score in scores] == own_answers()
    assert status == "400"
    (tmp_path / "caller.ts").write_text(SCRIPT + WRONG)
    with pytest.raises(AssertionError, match="Type '\"z\"' is not assignable"):
        run(node, compiler, cwd=tmp_path)
