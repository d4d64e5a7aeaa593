"""The documentation: its links lead somewhere, its commands run, nothing is left unsaid."""

import ast
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.urls import URLResolver, get_resolver

from predictor.http import problems
from tests.clones import git_files
from tests.servers import ROOT, batcomputer, manage, server_env

SKIPPED_FOLDERS = {".venv", "build", "dist", "node_modules", "models", "staticfiles"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts[:-1])
    and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(document):
    """What a forge makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in headings}


def links(document):
    # link texts in backquotes are links too, so only fenced code is left out
    for target in LINK.findall(FENCE.sub("", document.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def test_there_is_documentation():
    names = {path.name for path in DOCUMENTS}
    assert {"README.md", "CHANGELOG.md", "index.md", "deploy.md", "operations.md"} <= names


@each_document
def test_no_link_is_dead(document):
    dead = []
    for target in links(document):
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert dead == []


@each_document
def test_every_file_that_is_named_exists(document):
    """`scripts/run` and the like, wherever they are named."""
    text = re.sub(r"https?:\S+", "", document.read_text())
    named = set(re.findall(r"\b((?:scripts|azure|pipelines|helm|docs)/[\w./-]*\w)", text))
    missing = {name for name in named if not any(ROOT.glob(f"{name}*"))}
    assert missing == set()


def test_every_document_can_be_found_from_the_index():
    reached, waiting = set(), [ROOT / "docs/index.md"]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        for target in links(document):
            file = (document.parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.exists() and file not in reached:
                waiting.append(file)
    assert sorted((ROOT / "docs").rglob("*.md")) == sorted(
        path for path in reached if path.is_relative_to(ROOT / "docs")
    )


def test_the_index_has_every_page_of_the_site():
    _, *chapters = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    pages = [page for chapter in chapters for part in chapter.values() for page in part]
    assert "security.md" in pages
    assert set(pages) <= set(links(ROOT / "docs/index.md"))


def test_every_decision_is_in_the_list():
    folder = ROOT / "docs/decisions"
    rows = []
    for path in sorted(folder.glob("0*.md")):
        title, date, context, decision, consequence = path.read_text().strip().split("\n\n")
        number, name = re.fullmatch(r"# (\d+)\. (.+)", title).groups()
        assert path.name.startswith(f"{int(number):04}-")
        begins = ("**Context.** ", "**Decision.** ", "**Consequence.** ")
        for part, begin in zip((context, decision, consequence), begins, strict=True):
            assert part.startswith(begin), path
        rows.append(f"| {number} | [{name}]({path.name}) | {date} |")
    assert rows == [row for row in page("decisions/index").splitlines() if row.startswith("| ")][1:]


def settings_in_code():
    code = (ROOT / "batcomputer/settings.py").read_text()
    named = set(re.findall(r"""env\.\w+\(\s*["'](\w+)["']""", code))
    for path in ("batcomputer/gunicorn_conf.py", "batcomputer/port.py"):
        code = (ROOT / path).read_text()
        named |= set(re.findall(r"""environ(?:ment\(\))?(?:\.get\(|\[)\s*["'](\w+)["']""", code))
    return named


def test_env_sample_lists_every_setting():
    sample = (ROOT / ".env.sample").read_text()
    listed = re.findall(r"^#([A-Z_]+)=", sample, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == settings_in_code()
    assert not re.search(r"^[A-Z_]+=", sample, re.MULTILINE), "a copy of it must change nothing"


def test_env_sample_has_the_defaults_of_the_code():
    """Where the code gives one as it is; others depend on the place, or on SECRET_KEY."""
    text = (ROOT / ".env.sample").read_text()
    sample = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))
    defaults = {}
    for call in ast.walk(ast.parse((ROOT / "batcomputer/settings.py").read_text())):
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=name)],
                keywords=[ast.keyword(arg="default", value=ast.Constant() | ast.List() as default)],
            ):  # fmt: skip
                defaults[name] = ast.literal_eval(default)
    assert len(defaults) > 40
    assert {name: as_setting(value) for name, value in defaults.items()} == {
        name: sample[name] for name in defaults
    }


def as_setting(value):
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_setting_and_command_is_documented():
    written_by = runpy.run_path(str(ROOT / "scripts/reference.py"))
    again = "scripts/reference.py writes it again"
    assert page("settings") == written_by["settings_page"](), again
    assert page("commands") == written_by["commands_page"](), again


def test_every_route_is_documented():
    routes = {
        "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(each.pattern)).replace("identity", "id")
        for included in get_resolver().url_patterns
        if isinstance(included, URLResolver) and not str(included.pattern)
        for each in included.url_patterns
    }
    probes = {"/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"}
    assert written("routes", r"`(/[^`]*)`") == routes | probes | {"/admin/"}


def test_every_system_check_is_documented():
    code = "".join(each.read_text() for each in (ROOT / "predictor").rglob("checks.py"))
    numbers = set(re.findall(r"\b([EW]\d{3})\b", code))
    assert numbers == written("security", r"`predictor\.([EW]\d{3})`")


def test_every_alert_is_documented():
    rules = yaml.safe_load((ROOT / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    alerts = {(rule["alert"], rule["labels"]["severity"]) for rule in rules}
    assert written("metrics", r"`(Batcomputer\w+)` \|.*\| (\w+)") == alerts


def test_every_metric_is_documented():
    code = [*(ROOT / "predictor/monitoring").glob("*.py"), ROOT / "predictor/http/exposition.py"]
    names = re.findall(r'\(\s*"(batcomputer_\w+)"', "".join(each.read_text() for each in code))
    listed = written("metrics", r"`(batcomputer_\w+)`")
    assert {name.removesuffix("_total") for name in listed} == set(names)


def test_every_status_of_an_error_is_documented():
    listed = written("api", r"^\| ([45]\d{2}) ")
    assert listed == {str(status) for status in problems._TITLES}


def test_every_package_has_its_reason():
    tables = page("architecture").partition("## Dependencies")[2]
    server, tests = map(packages, tables.split("For tests and checks:"))
    of_gunicorn = {"gevent"}  # its extra installs it
    assert server == wanted("base", "azure", "server") | of_gunicorn
    stubs = re.compile(r"types-|.*-stubs$")
    assert tests == {
        name for name in wanted("dev", "spark", "mlflow", "docs") if not stubs.match(name)
    }


def packages(tables):
    listed = re.findall(r"^\| ([a-z][\w, -]+) \|", tables, re.MULTILINE)
    return {name for names in listed for name in names.split(", ")} - {"package", "packages"}


def wanted(*lists):
    texts = [(ROOT / f"requirements-{each}.in").read_text() for each in lists]
    return set(re.findall(r"^(\w[\w-]*)", "\n".join(texts), re.MULTILINE))


def page(name):
    return (ROOT / "docs" / f"{name}.md").read_text()


def written(name, pattern):
    """All that the pattern finds in the rows of a page's tables."""
    rows = [row for row in page(name).splitlines() if row.startswith("| ")]
    return {found for row in rows for found in re.findall(pattern, row)}


def test_every_command_that_is_named_exists():
    commands = {path.stem for path in (ROOT / "predictor/management/commands").glob("*.py")}
    own = {
        "migrate",
        "createsuperuser",
        "collectstatic",
        "runserver",
        "shell",
        "check",
        "makemessages",
    }
    for document in DOCUMENTS:
        named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))
        assert named <= commands | own, document


def test_commands_for_azure_containers_have_no_arguments():
    """Azure runs `az container exec` with a program's name alone."""
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    given = re.findall(r"--exec-command\s+(\S+)", text)
    assert given
    assert {each.strip("`,;.") for each in given} == {"/bin/sh"}


def runnable():
    """(document, its commands) of the blocks that are marked ``sh run``.

    A page that starts a server of its own (``sh serve``) is run by tests/test_package.py.
    """
    for document in DOCUMENTS:
        fences = FENCE.findall(document.read_text())
        blocks = [text for kind, text in fences if kind == "sh run"]
        if blocks and not any(kind == "sh serve" for kind, _ in fences):
            yield document, "\n".join(blocks)


@pytest.fixture(scope="module")
def demo(trained, tmp_path_factory):
    """A server with the demo models, as scripts/run leaves it."""
    folder = tmp_path_factory.mktemp("docs")
    models = folder / "models"
    for model in ("crime", "titanic"):
        shutil.copytree(trained(model), models / model / "1.0.0")
    settings = {"DEFAULT_MODEL": "crime", "HTTPS": "false", "API_KEY_REQUIRED": "false"}
    env = server_env(folder, models)
    manage(env, "verify_model", "--new")
    with batcomputer(folder, models, **settings) as server:
        # a wrong answer is a failed command
        (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
        yield server


def programs(folder):
    """PATH with what an installed package has; tests/test_package.py installs one."""
    own = folder / "bin"
    own.mkdir()
    for name, module in (("python", ""), ("batcomputer", "-m batcomputer")):
        script = own / name
        python = shlex.quote(sys.executable)
        script.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} {module} "$@"\n'
        )
        script.chmod(0o755)
    return f"{own}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "commands"), list(runnable()), ids=[path.name for path, _ in runnable()]
)
def test_its_commands_run(demo, document, commands, tmp_path):
    commands = re.sub(
        r"\b(127\.0\.0\.1|localhost):8000\b", demo.url.removeprefix("http://"), commands
    )
    of_a_clone = ".venv/" in commands  # others run wherever the package is installed
    commands = commands.replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(
        ["sh", "-eu", "-c", commands],
        cwd=ROOT if of_a_clone else tmp_path,
        env={**demo.env, "CURL_HOME": demo.env["HOME"], "PATH": programs(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
def test_the_examples_of_the_api_are_what_it_answers(demo):
    """To four decimals; ``…`` stands for anything, and so does an id."""
    text = (ROOT / "docs/api.md").read_text()
    shown = [block for kind, block in FENCE.findall(text) if kind == "console"]
    details = text.partition("### What an answer rests on")[2]
    asked = json.dumps({"force": "Kent Police", "crime": "Burglary", "month": 10})
    curl = "$ curl '127.0.0.1:8000/api/predict?details=true' -H 'Content-Type: application/json'"
    shown.append(f"{curl} -d '{asked}'\n" + FENCE.findall(details)[0][1])
    assert len(shown) == 4
    for block in shown:
        curl, start, rest = re.fullmatch(r"\$ (curl .*?)\n([\[{])(.*)", block, re.DOTALL).groups()
        done = subprocess.run(
            ["sh", "-c", curl.replace("127.0.0.1:8000", demo.url.removeprefix("http://"))],
            env={**demo.env, "CURL_HOME": demo.env["HOME"]},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout, parse_float=lambda digits: round(float(digits), 4))
        printed = re.sub(r"\s", "", re.sub(r'"[0-9a-f-]+…"', '"…"', start + rest))
        pattern = re.escape(printed).replace("…", ".*")
        assert re.fullmatch(pattern, re.sub(r"\s", "", json.dumps(answer, ensure_ascii=False))), (
            curl
        )


def test_some_commands_are_marked_as_runnable():
    assert {document.name for document, _ in runnable()} >= {"deploy.md", "local-development.md"}


def test_every_script_is_written_up():
    written = set(re.findall(r"`([\w.-]+)`", (ROOT / "scripts" / "README.md").read_text()))
    scripts = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()}
    assert scripts - {"README.md"} <= written


# Words of CONTRIBUTING.md's house English. "Stands for" and "told apart" are plain.
DIALECT = re.compile(
    r"\b(nobody|somebody|anybody|everybody|whoever|whom|anew|bears?|appetite|stood|newcomers?|strangers?"
    r"|stands?(?!\s+(?:in\s+)?for\b|-)|(?<!\.)(?:told|tells?)(?!\s+apart))\b"
)
PROSE = {".py", ".md", ".html", ".js", ".css", ".sh", ".yaml", ".yml", ".tpl", ".in", ".sample", ""}
UNREAD = ("LICENSE", "CONTRIBUTING.md", "batclient/locale/")


def test_the_words_are_the_houses_english():
    found = []
    for name in git_files():
        if Path(name).suffix not in PROSE or name.startswith(UNREAD):
            continue
        text = (ROOT / name).read_text()
        if name.startswith("tests/"):  # villains may have any name
            text = "\n".join(re.findall(r'""".*?"""|# .*', text))
        found += [f"{name}: {word.group()}" for word in DIALECT.finditer(text.lower())]
    assert found == []


def test_no_document_names_this_machine():
    here = str(Path.home())
    assert [d.name for d in DOCUMENTS if len(here) > 1 and f"{here}/" in d.read_text()] == []
