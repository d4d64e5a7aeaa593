"""Clients of others call the service.

Those that generators make of its document type-check; one of the Open Inference Protocol is used
as it comes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest
from open_inference.openapi import (
    BadRequestError,
    InferenceRequest,
    NotFoundError,
    RequestInput,
)
from open_inference.openapi.client import OpenInferenceClient

from tests import bundles
from tests.artifacts import test_kinds as every_kind
from tests.servers import BRIEF_JAVA, ROOT, batcomputer

pytestmark = pytest.mark.slow

TYPESCRIPT = ROOT / ".typescript"  # scripts/test installs them from npm
HEY_API_TOOLS = ROOT / ".clients/hey-api"
ITEM = every_kind.ITEM

PYTHON = """
import datetime
import sys

from batcomputer_client import Client
from batcomputer_client.api.default_model import info
from batcomputer_client.api.m import compare_m, params_m, predict_m
from batcomputer_client.api.models import models
from batcomputer_client.models import (
    CompareMCode, CompareMVary, Info, MAnswer, MComparison, MItem, MItemCode, MParams, Problem,
)

item = MItem(
    code=MItemCode.B, city="Łódź", size="m", level=0.5, count=3, member=True, note="the joker",
    day=datetime.date(2026, 2, 3), at="2026-02-03T04:05:00", pixels=[0.25, -1.0],
)
client = Client(base_url=sys.argv[1])
one = predict_m.sync(client=client, body=item)
assert isinstance(one, MAnswer)
item.level = None
many = predict_m.sync(client=client, body=[item, item])
assert isinstance(many, list)
item.count = 99
refused = predict_m.sync(client=client, body=item)
assert isinstance(refused, Problem)
served = info.sync(client=client)
assert isinstance(served, Info) and served.model == "m" and served.verified.reason == ""
listed = models.sync(client=client)
assert isinstance(listed, list) and listed[0].name == "m"
needed = params_m.sync(client=client)
assert isinstance(needed, MParams) and needed.size == ["s", "m"]
varied = compare_m.sync(
    client=client, vary=CompareMVary.MEMBER, city="Łódź", code=CompareMCode.B, size="m", count=3,
    note="x", day=item.day, at=item.at, pixels="[0, 0]",
)
assert isinstance(varied, MComparison) and len(varied.options) == 2
print(one.value, *[scores.value for scores in many], refused.status)
"""
GENERATOR_PYTHON = """
import datetime
import sys

from openapi_client import ApiClient, Configuration, DefaultModelApi, MApi, MItem, MItemInArray
from openapi_client import MQuestion
from openapi_client.exceptions import BadRequestException

same = {"code": "b", "city": "Łódź", "size": "m", "count": 3, "member": True,
        "note": "the joker", "day": datetime.date(2026, 2, 3), "at": "2026-02-03T04:05:00",
        "pixels": [0.25, -1.0]}
with ApiClient(Configuration(host=sys.argv[1])) as client:
    def ask(body):
        return MApi(client).predict_m(MQuestion(body)).actual_instance
    one = ask(MItem(level=0.5, **same))
    many = ask([MItemInArray(level=None, **same), MItemInArray(**same)])
    assert DefaultModelApi(client).info().model == "m"
    try:
        refused = ask(MItem(**same).model_copy(update={"count": 99}))
    except BadRequestException as error:
        refused = error
print(one.value, *[each.value for each in many], refused.status)
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
MAIN = """
import { argv } from "node:process";
declare const console: { log(...words: unknown[]): void };
const day = "2026-02-03", at = "2026-02-03T04:05:00";
const same = { code: "b", city: "Łódź", size: "m", count: 3, member: true, note: "the joker",
               pixels: [0.25, -1] } as const;
"""
HEY_API = """
import { client } from "./client/client.gen";
import { infoM, predictM } from "./client/sdk.gen";
import type { Info, MAnswer, MItem, Problem } from "./client/types.gen";

const item: MItem = { ...same, pixels: [0.25, -1], day, at, level: 0.5 };
async function main() {
  client.setConfig({ baseUrl: argv[2]! });
  const one = await predictM({ body: item });
  const many = await predictM({ body: [{ ...item, level: null }, { ...item, level: undefined }] });
  const refused = await predictM({ body: { ...item, count: 99 } });
  const info: Info = (await infoM()).data!;
  if (!one.data || Array.isArray(one.data) || !Array.isArray(many.data) || info.model !== "m")
    throw new Error(JSON.stringify([one, many]));
  const answer: MAnswer = one.data;
  const problem: Problem = refused.error!;
  console.log(answer.value, ...many.data.map((each) => each.value), problem.status);
}
main();
"""
FETCH = """
import { Configuration, MApi, ResponseError } from "./client";
import type { MAnswer, MItem } from "./client";

const item: MItem = { ...same, pixels: [0.25, -1], day: new Date(day), at, level: 0.5 };
async function main() {
  const api = new MApi(new Configuration({ basePath: argv[2]! }));
  const ask = async (body: MItem | MItem[]) => await api.predictM({ mQuestion: body });
  const one = await ask(item) as MAnswer;
  const many = await ask([{ ...item, level: null }, { ...item, level: undefined }]) as MAnswer[];
  const info = await api.infoM();
  if (info.model !== "m") throw new Error(JSON.stringify(info));
  const refused = await ask({ ...item, count: 99 }).catch((error: ResponseError) => error);
  if (!(refused instanceof ResponseError)) throw new Error("it was not refused");
  console.log(one.value, ...many.map((each) => each.value), refused.response.status);
}
main();
"""
WRONG = """import type { components } from "./schema.js";
const wrong: components["schemas"]["m.item"]["code"] = "z";
export { wrong };
"""
COMPILER = {
    "strict": True, "exactOptionalPropertyTypes": False, "noUncheckedIndexedAccess": True,
    "module": "nodenext", "target": "es2022", "types": ["node"], "outDir": "out",
    "skipLibCheck": True,
}  # fmt: skip
# of generators whose imports have no extension
COMMON_JS = {"strict": True, "module": "commonjs", "target": "es2022", "types": ["node"],
             "lib": ["es2022", "dom"], "outDir": "out", "skipLibCheck": True}  # fmt: skip


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


def start(*words, cwd, **env):
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**os.environ, **env}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip


def run(*words, cwd, **env):
    done = start(*words, cwd=cwd, **env)
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
    assert said.count("WARNING") == said.count("Unsupported content type text/csv") == 3, said
    (tmp_path / "caller.py").write_text(PYTHON)
    # in silence of what it takes over as it is: its own client.py is not strict
    parts = ["caller.py", "batcomputer_client/models", "batcomputer_client/api"]
    strict = ["--strict", "--follow-imports", "silent"]
    run(sys.executable, "-m", "mypy", *strict, *parts, cwd=tmp_path)
    assert_it_calls(run(sys.executable, "caller.py", server.url, cwd=tmp_path))


@pytest.fixture
def client(server):
    with httpx.Client() as connections:
        yield OpenInferenceClient(base_url=server.url, httpx_client=connections)


def test_open_inference(client):
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("m")
    client.check_model_version_readiness("m", "1")
    assert client.read_server_metadata().name == "batcomputer"
    model = client.read_model_version_metadata("m", "1")
    assert (model.name, model.versions) == ("m", ["1"])
    inputs = [
        RequestInput(name=t.name, datatype=t.datatype, shape=[2, *t.shape[1:]],
                     data=[ITEM[t.name]] * 2)
        for t in model.inputs
    ]  # fmt: skip
    asked = InferenceRequest(id="case 7", inputs=inputs)
    for answer in (client.model_infer("m", request=asked),
                   client.model_version_infer("m", "1", request=asked)):  # fmt: skip
        assert (answer.model_name, answer.model_version, answer.id) == ("m", "1", "case 7")
        assert [(o.name, o.datatype, o.shape) for o in answer.outputs] == [
            (t.name, t.datatype, [2]) for t in model.outputs
        ]
        assert answer.outputs[0].data.__root__ == [pytest.approx(own_answers()[0])] * 2
    with pytest.raises(BadRequestError) as refused:
        client.model_infer("m", request=InferenceRequest(inputs=inputs[1:]))
    assert refused.value.body["error"].startswith("[0].code: this field is required")
    with pytest.raises(NotFoundError, match="version 1 of m answers, not 2"):
        client.check_model_version_readiness("m", "2")


def test_typescript(server, document, tmp_path):
    node, tools = node_with(TYPESCRIPT)
    (tmp_path / "node_modules").symlink_to(tools)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER}))
    run(node, tools / "openapi-typescript/bin/cli.js", document, "-o", "schema.d.ts", cwd=tmp_path)
    (tmp_path / "caller.ts").write_text(SCRIPT)
    (tmp_path / "wrong.ts").write_text(WRONG)
    compiled = start(node, tools / "typescript/bin/tsc", cwd=tmp_path)
    (error,) = re.findall(r"^.*error.*", compiled.stdout, re.MULTILINE)
    assert error.startswith("wrong.ts(2,7): error TS2322: Type '\"z\"' is not assignable to type")
    assert_it_calls(run(node, "out/caller.js", server.url, cwd=tmp_path))


def test_hey_api(server, document, tmp_path):
    node, tools = node_with(HEY_API_TOOLS)
    run(node, tools / "@hey-api/openapi-ts/bin/run.js", "-i", document, "-o", "client",
        "-c", "@hey-api/client-fetch", cwd=tmp_path)  # fmt: skip
    assert_it_calls(compiled_and_run(node, tools, MAIN + HEY_API, server, tmp_path))


def test_typescript_fetch(server, document, tmp_path):
    node, tools = node_with(HEY_API_TOOLS)  # for its compiler
    openapi_generator("typescript-fetch", document, tmp_path / "client")
    assert_it_calls(compiled_and_run(node, tools, MAIN + FETCH, server, tmp_path))


def test_openapi_generators_python(server, document, tmp_path):
    openapi_generator("python", document, tmp_path)
    (tmp_path / "caller.py").write_text(GENERATOR_PYTHON)
    assert_it_calls(run(sys.executable, "caller.py", server.url, cwd=tmp_path))


def openapi_generator(kind, document, folder):
    """Make a client of that kind in ``folder``."""
    generator = pytest.importorskip("openapi_generator_cli").__file__
    if shutil.which("java") is None:
        pytest.skip("openapi-generator needs Java")
    run("java", *BRIEF_JAVA, "-jar", Path(generator).with_name("openapi-generator.jar"), "generate",
        "-g", kind, "-i", document, "-o", folder, cwd=document.parent)  # fmt: skip


def node_with(folder):
    """(node, the modules that scripts/test installs into ``folder``)."""
    node = shutil.which("node")
    if node is None or not (folder / "node_modules").is_dir():
        pytest.skip("TypeScript is not installed: scripts/test does it, with npm")
    return node, folder / "node_modules"


def compiled_and_run(node, tools, caller, server, folder):
    """The output of ``caller`` with the client in ``folder``, both compiled strictly."""
    (folder / "node_modules").symlink_to(tools)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMMON_JS}))
    (folder / "caller.ts").write_text(caller)
    run(node, tools / "typescript/bin/tsc", cwd=folder)
    return run(node, "out/caller.js", server.url, cwd=folder)


def assert_it_calls(printed):
    *scores, status = printed.split()
    assert [float(score) for score in scores] == own_answers()
    assert status == "400"
