"""The distribution: built, installed into empty environments, used from an empty folder."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import wire
from tests.clones import clone, git_files
from tests.servers import ROOT, free_port, stop, wait_until_ready

PACKAGES = ("batclient", "batcomputer", "predictor", "training")
WITHOUT_DJANGO = ("training", "predictor/artifacts", "predictor/evidence", "predictor/registry")
IMPORTED_AS = {"scikit-learn": "sklearn"}
PUBLISHING = {"azure"}  # predictor.registry.azure alone, imported when a version is published
FOR_NOTEBOOKS = {"matplotlib"}  # training.plots alone
TRACKING = {"mlflow"}  # training.tracking and predictor.registry.tracking alone
GOOD = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
SCRIPT = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from batcomputer import save_model

measured, species = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=500).fit(measured, species)
lookup = {"sepal_length": 0, "sepal_width": 0, "petal_length": 0, "petal_width": 0}
save_model(model, "models/iris/1.0.0", lookup=lookup, flags=["setosa", "versicolor", "virginica"])
"""


def wanted(name):
    lines = (ROOT / f"requirements-{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


@pytest.mark.slow
def test_the_front_door_is_light():
    """A notebook that imports it, or a pipeline that runs the smoke test, waits for nothing."""
    script = "import sys, batcomputer; print(*sys.modules); batcomputer.save_model"
    command = [sys.executable, "-c", script + "; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = (
        {n.partition(".")[0] for n in line.split()} for line in done.stdout.split("\n", 1)
    )
    assert not before & {"predictor", "django", "numpy"}
    assert "predictor" in after
    assert not after & {"django", "numpy", "sklearn", "pandas", "azure", "cryptography", "environ"}


def imports(folder):
    """Packages of others that the modules in ``folder`` import."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield (node.module or "").partition(".")[0]


@pytest.mark.slow
def test_the_base_brings_all_that_training_and_packing_import():
    brought = {IMPORTED_AS.get(each.name, each.name) for each in wanted("base") + wanted("spark")}
    found = {name for folder in WITHOUT_DJANGO for name in imports(folder)}
    found -= {*sys.stdlib_module_names, *PACKAGES, "", *FOR_NOTEBOOKS, *PUBLISHING, *TRACKING}
    assert found <= brought


def test_the_wheel_asks_for_what_the_service_pins():
    """There is one list: the wheel requires the packages that scripts/pin pins."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert setuptools["dynamic"] == {
        "dependencies": {"file": ["requirements-base.in"]},
        "optional-dependencies": {
            "azure": {"file": ["requirements-azure.in"]},
            "server": {"file": ["requirements-azure.in", "requirements-server.in"]},
            "mlflow": {"file": ["requirements-mlflow.in"]},
            "spark": {"file": ["requirements-spark.in"]},
        },
    }
    lines = (ROOT / "requirements.in").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "-r requirements-base.in",
        "-r requirements-azure.in",
        "-r requirements-server.in",
    ]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the files in git, without other files of the working copy."""
    source, made = clone(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--out-dir", str(made), str(source))
    (built,) = made.glob("*.whl")
    return built


def uv(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode and re.search("error sending request|dns error|timed out", done.stderr):
        pytest.skip(f"no package index is reachable: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


@dataclass
class Environment:
    """An environment with only the wheel and its dependencies."""

    python: Path

    def run(self, folder, *command, **settings):
        """A command in ``folder``, which knows nothing of this project's own."""
        program = str(self.python.parent / command[0])
        return subprocess.run(
            [program, *command[1:]],
            cwd=folder, env=self.env(folder, **settings),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def env(self, folder, **settings):
        return {"PATH": os.environ["PATH"], "HOME": str(folder), **settings}


def installed(wheel, folder, extra=""):
    """``pip install batcomputer`` (or its extra) in the versions that are pinned here."""
    lists = (ROOT / "requirements-dev.txt").read_text()
    pins = re.findall(r"^([\w.-]+(?:\[\w+\])?==[^\\\n]+)", lists, re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    python = folder / "environment" / "bin" / "python"
    uv("venv", "--python", sys.executable, str(python.parent.parent))
    constraints = ["--constraint", str(folder / "pins.txt")]
    uv("pip", "install", "--python", str(python), *constraints, f"{wheel}{extra}")
    return Environment(python)


@pytest.fixture(scope="module")
def base(wheel, tmp_path_factory):
    return installed(wheel, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def server(wheel, tmp_path_factory):
    return installed(wheel, tmp_path_factory.mktemp("server"), "[server]")


@pytest.fixture
def folder(tmp_path):
    """An empty folder outside every clone."""
    own = tmp_path / "Bät Höhle"
    own.mkdir()
    (own / "save.py").write_text(SCRIPT)
    return own


@pytest.mark.slow
def test_the_wheel_is_whole(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    known = {name for name in git_files() if name.startswith(tuple(f"{p}/" for p in PACKAGES))}
    data = {f"training/{name}" for name in git_files() if name.startswith("data/")}
    assert (known | data) - held == set()
    assert {name for name in held if "dist-info" not in name} - known - data == set()
    assert wheel.stat().st_size < 2_000_000


@pytest.mark.slow
def test_the_base_trains_and_verifies_without_django(base, folder):
    assert base.run(folder, "python", "-c", "import django").returncode == 1
    done = base.run(folder, "python", "save.py")
    assert done.returncode == 0, done.stderr
    done = base.run(folder, "batcomputer", "verify", "models/iris/1.0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict    accepted" in done.stdout
    for command in ("serve", "manage"):
        done = base.run(folder, "batcomputer", command)
        assert done.returncode == 1
        assert "django is not installed: pip install 'batcomputer[server]'" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    done = base.run(folder, "batcomputer", "publish", "models/iris/1.0.0")
    assert done.returncode == 1
    assert done.stderr == (
        "error: Blob storage needs the libraries of Azure: pip install 'batcomputer[azure]'\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", ["titanic", "crime"])
def test_the_training_programs_bring_their_data(base, folder, model):
    done = base.run(folder, f"batcomputer-train-{model}", "trained")
    assert done.returncode == 0, done.stderr
    assert (folder / "trained" / model / "1.0.0" / "model.pkl").is_file()


@pytest.mark.slow
def test_the_server_serves_a_folder_of_models(base, server, folder):
    assert base.run(folder, "python", "save.py").returncode == 0
    for name in ("predictor.py", "email.py"):  # one's own scripts, named like the server's modules
        (folder / name).write_text("raise SystemExit('not this one')\n")
    port, log = free_port(), folder / "server.log"
    (folder / ".env").write_text(f"PORT={port}\n")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [server.python.parent / "batcomputer", "serve", "models"],
            cwd=folder, env=server.env(folder), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log, seconds=400)
        body = wire.json.dumps(GOOD).encode()
        answer = wire.ask(port, wire.request("/api/models/iris/predict", body=body))
        assert answer.status == 200, answer.body
        assert max(answer.json, key=answer.json.get) == "setosa"
        page = wire.ask(port, wire.request("/iris/", "GET", b"")).body.decode()
        style = re.search(r'"(/static/[^"]+\.css)"', page).group(1)
        assert wire.ask(port, wire.request(style, "GET", b"")).status == 200
        done = server.run(folder, "batcomputer", "manage", "list_models")
        assert "answers" in done.stdout, done.stderr
        done = server.run(folder, "batcomputer", "serve", "models")
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: port {port} of 127.0.0.1 is in use")
    finally:
        stop(process)
    banner, started = log.read_text().split("Stop with Ctrl+C.", 1)
    assert f"http://127.0.0.1:{port}/" in banner
    assert "Starting gunicorn" in started
    assert (folder / ".secret-key").stat().st_mode & 0o777 == 0o600
    assert {"batcomputer.sqlite3", "staticfiles"} <= {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_the_tutorial_runs_in_an_empty_folder(server, tmp_path):
    """Block after block as the page has them, the server in the background."""
    page = (ROOT / "docs/tutorials/your-own-model.md").read_text()
    address, log = f"http://127.0.0.1:{free_port()}", tmp_path / "server.log"
    blocks = re.findall(r"^```sh (run|serve)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks][:3] == ["run", "serve", "run"]
    env = server.env(tmp_path, PORT=address.rsplit(":", 1)[1], CURL_HOME=str(tmp_path))
    env["PATH"] = f"{server.python.parent}{os.pathsep}{env['PATH']}"
    (tmp_path / ".curlrc").write_text("silent\nshow-error\n")
    said, process = "", None
    try:
        for kind, commands in blocks:
            command = ["sh", "-eu", "-c", commands.replace("http://127.0.0.1:8000", address)]
            if kind == "run":
                done = subprocess.run(
                    command, cwd=tmp_path, env=env,
                    capture_output=True, text=True, timeout=120, check=False,
                )  # fmt: skip
                assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
                said += done.stdout
                continue
            with log.open("wb") as output:
                process = subprocess.Popen(
                    ["sh", "-c", f"exec {commands}"],
                    cwd=tmp_path, env=env, stdout=output, stderr=output, start_new_session=True,
                )  # fmt: skip
            wait_until_ready(f"{address}/readyz", process, log, seconds=400)
    finally:
        if process:
            stop(process)
    assert "did you mean" in said
    assert '"outcome":"setosa"' in said
    assert re.search(r"^  1\.0\.0 +here +answers$", said, re.MULTILINE), said
