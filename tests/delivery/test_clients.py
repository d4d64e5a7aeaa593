"""Command lines for Azure, parsed by the real client without a login."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.delivery.test_deploy_script import ANSWERS, STAND_IN, VAULT, Azure
from tests.servers import ROOT

pytestmark = pytest.mark.slow

AZ = ROOT / ".clients/azure-cli"  # too large to come with every test run
INSTALL = (
    f"python3 -m venv {AZ.relative_to(ROOT)} && {AZ.relative_to(ROOT)}/bin/pip install azure-cli"
)
PAGES = [
    "docs/deploy-azure.md", "docs/operations.md", "databricks/README.md", "pipelines/README.md",
]  # fmt: skip
# Reads [[word, …], …] and prints what the client's parser says of each; "" where it takes it.
PARSE = """
import contextlib, io, json, sys
from azure.cli.core import get_default_cli
from azure.cli.core.commands import AzCliCommandInvoker

class Parsed(Exception):
    pass

def parse(words):
    invoker = AzCliCommandInvoker(
        cli_ctx=cli, parser_cls=cli.parser_cls,
        commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls,
    )
    cli.invocation = invoker
    real = invoker.parser.parse_args
    def stop(*args, **kwargs):
        real(*args, **kwargs)
        raise Parsed
    invoker.parser.parse_args = stop
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            invoker.execute(words)
        except Parsed:
            return ""
        except SystemExit as error:
            return f"exit {error.code}: {said.getvalue()}"
    return "it did more than parse"

cli = get_default_cli()
print(json.dumps([parse(words) for words in json.load(sys.stdin)]))
"""


def of_pages():
    """The az command lines that people paste."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
        inline = re.findall(r"`([^`]*\baz [^`]+)`", prose)
        for block in [*blocks, *(" ".join(line.split()).replace("\\|", "|") for line in inline)]:
            whole = block.replace("\\\n", " ")
            for found in re.finditer(
                r"(?:^|[|(`]|&& | do )\s*(az [a-z][^|\n]*)", whole, re.MULTILINE
            ):
                line = found[1]
                if line.count(")") > line.count("("):  # it was in $(…)
                    line = line[: line.rindex(")")]
                yield f"{page}: {line}", words_of(line)


def words_of(line):
    """A shell line's words up to the end of its command; a substitution is one word."""
    line = re.sub(r"\$\([^()]*(\([^()]*\)[^()]*)*\)", "substituted", line)
    words = shlex.split(line, comments=True)
    return [word for word in words if word not in (">", "…")][1:]


def of_the_script(folder: Path):
    """Those that azure/deploy gives, by every way through it."""
    for name in ("az", "kubectl", "helm"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    azure = Azure(folder, [*VAULT, *ANSWERS])
    ways = [
        ("platform", "gotham", "westeurope"), ("container", "gotham", "t", "crime", "1"),
        ("kubernetes", "gotham", "t"), ("remove", "gotham"),
        ("alerts", "gotham", "a@example.org", "arkham"),
        ("private", "gotham", "/subnets/1"), ("running", "container", "gotham"),
    ]  # fmt: skip
    for way in ways:
        azure.deploy(*way, HOST="bat.example.org")
        for call, _ in azure.asked("az"):
            # a template may not be where the stand-in found it any more
            words = [re.sub(r"^@.*", "@azure/platform.parameters.json", word) for word in call[1:]]
            yield f"azure/deploy {' '.join(way)}: {' '.join(words)}", words


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """Ask the client about many lines at once, as it takes seconds to start."""
    python = AZ / "bin/python"
    if not python.exists():
        pytest.skip(f"the Azure CLI is not installed: {INSTALL}")
    home = tmp_path_factory.mktemp("home")

    def ask(lines):
        done = subprocess.run(
            [python, "-c", PARSE], input=json.dumps([words for _, words in lines]),
            env={
                "PATH": os.environ["PATH"], "HOME": str(home), "AZURE_CORE_COLLECT_TELEMETRY": "no",
            },
            cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answers = zip(lines, json.loads(done.stdout.splitlines()[-1]), strict=True)
        return [(line, said) for (line, _), said in answers if said]

    return ask


def test_the_client_takes_what_the_pages_and_the_script_say(complaints, tmp_path):
    lines = {tuple(words): (line, words) for line, words in [*of_pages(), *of_the_script(tmp_path)]}
    core = [pair for words, pair in lines.items() if words[0] != "databricks"]  # an extension's
    assert len(core) > 30
    found = complaints(core)
    assert not found, "\n".join(f"{line}: {said}" for line, said in found)


def test_a_slip_would_be_noticed(complaints):
    wrong = ["group", "create", "--nmae", "gotham", "--location", "westeurope"]
    ((_, said),) = complaints([("wrong", wrong)])
    assert "--name" in said
