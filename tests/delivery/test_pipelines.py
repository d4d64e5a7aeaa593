"""The pipelines: valid by their schemas, and their references exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.servers import ROOT

pytestmark = pytest.mark.slow

PIPELINES = sorted((ROOT / "pipelines").rglob("*.yml"))
CHECK = [f"{sys.prefix}/bin/check-jsonschema"]
AZURE = ["--builtin-schema", "vendor.azure-pipelines", "--regex-variant", "nonunicode",
         "--data-transform", "azure-pipelines"]  # fmt: skip
OTHERS = {
    ".github/workflows/test.yml": "vendor.github-workflows",
    ".github/workflows/update.yml": "vendor.github-workflows",
    "renovate.json": "vendor.renovate",
    "compose.yaml": "vendor.compose-spec",
}
SET = re.compile(r"task\.setvariable variable=(\w+)")
# Set by Azure DevOps itself.
PREDEFINED = ("Agent.", "Build.", "System.", "Pipeline.")


def walk(value):
    """Every mapping and text in a YAML document."""
    yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from walk(inner)


def texts(document):
    return [value for value in walk(document) if isinstance(value, str)]


def load(path):
    return yaml.safe_load(path.read_text())


def check(*arguments):
    return subprocess.run(
        [*CHECK, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_works(tmp_path):
    """A template with only variables is not a pipeline, so wrap it in one."""
    files = []
    for path in PIPELINES:
        document = load(path)
        if set(document) == {"variables"}:
            document["steps"] = []
        files.append(tmp_path / path.name)
        files[-1].write_text(yaml.safe_dump(document))
    done = check(*AZURE, *map(str, files))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_slip_would_be_noticed(tmp_path):
    wrong = load(ROOT / "pipelines/test.yml")
    wrong["jobs"][0]["stepps"] = wrong["jobs"][0].pop("steps")
    (tmp_path / "wrong.yml").write_text(yaml.safe_dump(wrong))
    assert check(*AZURE, str(tmp_path / "wrong.yml")).returncode == 1


@pytest.mark.parametrize(("path", "schema"), OTHERS.items(), ids=OTHERS)
def test_the_others_fit_their_schemas(path, schema):
    done = check("--builtin-schema", schema, str(ROOT / path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_every_template_exists_and_gets_its_parameters(path):
    for mapping in walk(load(path)):
        if not isinstance(mapping, dict) or "template" not in mapping:
            continue
        template = path.parent / mapping["template"]
        assert template.is_file(), f"{path.name} names {mapping['template']}"
        declared = {p["name"]: "default" in p for p in load(template).get("parameters", [])}
        given = set(mapping.get("parameters", {}))
        assert given <= set(declared)
        assert {name for name, optional in declared.items() if not optional} <= given


def test_every_file_a_pipeline_runs_exists():
    found = set()
    for path in PIPELINES:
        for text in texts(load(path)):
            found |= set(re.findall(r"\b(?:scripts|azure)/[\w.-]+", text))
            found |= set(re.findall(r"[\w./-]*requirements[\w-]*\.txt", text))
            for module in re.findall(r"python -m ([\w.]+)", text):
                if module != "venv":
                    found.add(module.replace(".", "/") + ".py")
    assert {"scripts/test", "azure/deploy", "batcomputer/smoke.py", "requirements.txt"} <= found
    assert [name for name in found if not (ROOT / name).is_file()] == []


def test_every_path_that_starts_a_training_is_one():
    paths = load(ROOT / "pipelines/train.yml")["trigger"]["paths"]["include"]
    # two of them come with the training; none may be a misspelling of what is there
    assert {path for path in paths if not (ROOT / path).exists()} <= {"databricks", "notebooks"}


def test_every_variable_is_declared_or_documented():
    declared = {
        v["name"] for v in load(ROOT / "pipelines/variables.yml")["variables"] if "name" in v
    }
    documented = set(
        re.findall(r"^\| `(\w+)` \|", (ROOT / "pipelines/README.md").read_text(), re.MULTILINE)
    )
    assert not declared & documented
    used, asked_in_conditions = set(), set()
    set_by_a_step = {
        name
        for program in (ROOT / "pipelines").glob("*.py")
        for name in SET.findall(program.read_text())
    }
    for path in PIPELINES:
        document = load(path)
        for mapping in walk(document):
            if isinstance(mapping, dict) and set(mapping) == {"name", "value"}:
                declared.add(mapping["name"])
        for text in texts(document):
            set_by_a_step |= set(SET.findall(text))
            asked_in_conditions |= set(re.findall(r"variables\['(\w+)'\]", text))
            names = re.findall(
                r"\$\(([A-Za-z][\w.]*)\)", text.replace("${{ target }}", "container")
            )
            used |= {name for name in names if not name.startswith(PREDEFINED)}
            if "${{ target }}Host" in text:
                used.add("kubernetesHost")
    assert asked_in_conditions
    assert asked_in_conditions <= set_by_a_step
    steps = {name.rpartition(".")[2] for name in used if "." in name}
    assert steps <= set_by_a_step
    plain = {name for name in used if "." not in name}
    assert plain - declared - set_by_a_step == documented


def test_a_release_follows_the_tests_and_the_training():
    pipelines = load(ROOT / "pipelines/release.yml")["resources"]["pipelines"]
    assert {each["source"] for each in pipelines} == {"batcomputer-test", "batcomputer-train"}
    readme = (ROOT / "pipelines/README.md").read_text()
    for each in pipelines:
        assert each["trigger"]["branches"]["include"] == ["main"]
        assert f"`{each['source']}`" in readme


def test_the_image_is_built_with_arguments_it_knows():
    (build,) = (text for text in texts(load(ROOT / "pipelines/release.yml")) if "--tag" in text)
    given = set(re.findall(r'--build-arg "(\w+)=', build))
    declared = set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert {"DEFAULT_MODEL", "MODEL_VERSION", "INITIAL_VERSION"} <= given <= declared


def test_what_ran_before_is_put_back_and_asked():
    deploy = load(ROOT / "pipelines/templates/deploy.yml")["jobs"][0]["strategy"]["runOnce"]
    steps = deploy["deploy"]["steps"][1:]  # after the checkout
    when_wrong = [step for step in steps if "condition" in step]
    assert steps[-2:] == when_wrong
    assert all("failed()" in step["condition"] for step in when_wrong)
    back, ask = when_wrong
    assert "azure/deploy back" in back["inputs"]["inlineScript"]
    assert "batcomputer.smoke" in ask["script"]
    assert "$(expected)" not in ask["script"], "it has other versions"


def steps_of(stage):
    """The steps of a stage's only job."""
    (job,) = stage["jobs"]
    return job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"]


def test_a_version_is_shadowed_approved_tried_approved_and_activated():
    stages = load(ROOT / "pipelines/promote.yml")["stages"]
    commands, before = [], None
    for stage in stages:
        assert stage.get("dependsOn") == before
        before = stage["stage"]
        commands += [
            (before, *step["parameters"].values())
            for step in steps_of(stage)
            if step.get("template", "").endswith("command.yml")
        ]
    assert [(stage, command) for stage, command, *_ in commands] == [
        ("shadow", "shadow"), ("try", "try_model"), ("activate", "shadow"),
        ("activate", "activate_model"), ("activate", "rollback_model"),
    ]  # fmt: skip
    approved = {s["stage"]: s["jobs"][0].get("environment") for s in stages}
    assert approved == {
        "shadow": None, "try": "batcomputer-try", "activate": "batcomputer-activate",
    }  # fmt: skip
    readme = (ROOT / "pipelines/README.md").read_text()
    assert all(f"`{name}`" in readme for name in approved.values() if name)
    assert all("--strict" in said for _, command, said, *_ in commands if command == "shadow")
    assert commands[-1][-1] == "and(failed(), eq(variables['done'], 'activate_model'))"


def commanded(folder, status, url):
    """The step that gives a command to the database of ``url``, run with stand-ins."""
    (step,) = load(ROOT / "pipelines/templates/command.yml")["steps"]
    script = step["inputs"]["inlineScript"].replace("$(keyVault)", "vault")
    for name, value in (("command", "shadow"), ("arguments", "crime 1.1.0 --strict")):
        script = script.replace(f"${{{{ parameters.{name} }}}}", value)
    assert "${{" not in script
    (folder / ".venv/bin").mkdir(parents=True)
    for name, body in (
        (".venv/bin/python", f'echo "$DATABASE_URL ${{PGPASSWORD-none}} $*"; exit {status}'),
        ("az", f'case "$*" in *oss-rdbms*) echo token ;; *) echo "{url}" ;; esac'),
    ):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("status", "said"), [(0, ""), (1, "could not be"), (3, "a rule refuses")])
def test_a_command_that_fails_ends_the_pipeline(tmp_path, status, said):
    """With its own status, regardless of later commands in the step."""
    done = commanded(tmp_path, status, "secret://")
    assert done.returncode == status
    assert "secret:// none manage.py shadow crime 1.1.0 --strict" in done.stdout
    assert said in done.stdout
    assert ("variable=done]shadow" in done.stdout) == (status == 0)
    template = load(ROOT / "pipelines/templates/command.yml")
    assert set(template["parameters"][0]["values"]) <= {
        path.stem for path in (ROOT / "predictor/management/commands").glob("*.py")
    }


@pytest.mark.parametrize(
    ("user", "password"), [("batcomputer:secret", "none"), ("batcomputer", "token")]
)
def test_a_database_without_a_password_gets_a_token(tmp_path, user, password):
    url = f"postgres://{user}@db.example.org:5432/batcomputer?sslmode=verify-full"
    done = commanded(tmp_path, 0, url)
    assert f"{url} {password} manage.py" in done.stdout, done.stderr


def test_outputs_that_jobs_ask_of_each_other_are_set():
    release = load(ROOT / "pipelines/release.yml")
    stages = {s["stage"]: s for s in release["stages"] if "stage" in s}
    asked = set()
    for text in texts(load(ROOT / "pipelines/templates/deploy.yml")):
        asked |= set(
            re.findall(r"stageDependencies\.(\w+)\.(\w+)\.outputs\['(\w+)\.(\w+)'\]", text)
        )
    assert len(asked) == 3
    for stage, job, step, variable in asked:
        found = next(j for j in stages[stage]["jobs"] if j["job"] == job)
        setting = next(s for s in found["steps"] if s.get("name") == step)
        script = setting.get("script") or setting["inputs"]["inlineScript"]
        assert f"variable={variable};isOutput=true" in script


def test_targets_of_one_database_are_deployed_one_after_the_other():
    """Two at once would migrate it twice, and fall back over each other."""
    (each,) = (s for s in load(ROOT / "pipelines/release.yml")["stages"] if "stage" not in s)
    ((condition, (stage,)),) = each.items()
    assert "each target in split(" in condition
    image, then = stage["dependsOn"]
    assert image == "image"
    ((only_where_both_are, before),) = then.items()
    assert "eq(target, 'kubernetes')" in only_where_both_are
    assert before == ["container"]


def test_who_has_one_target_needs_nothing_of_the_other():
    variables = {
        v.get("name"): v.get("value") for v in load(ROOT / "pipelines/variables.yml")["variables"]
    }
    assert variables["targets"] in ("container", "kubernetes", "container,kubernetes")
    deploy = (ROOT / "pipelines/templates/deploy.yml").read_text()
    for name in ("cluster", "clusterIssuer"):
        for line in re.finditer(rf"^.*\n.*\n.*\$\({name}\)", deploy, re.MULTILINE):
            assert "eq(parameters.target, 'kubernetes')" in line[0]


def test_what_is_pushed_is_signed_and_described():
    (push,) = (t for t in texts(load(ROOT / "pipelines/release.yml")) if "docker push" in t)
    attested = re.findall(r'attest .*--type (\w+) --predicate "\$files/([\w.]+)"', push)
    assert attested == [("cyclonedx", "sbom.cdx.json"), ("slsaprovenance1", "provenance.json")]
    assert push.count('" sign ') == 2, "the image and the chart"
    assert '"$image@$digest"' in push, "a tag can be moved"


def test_a_scan_that_could_not_run_is_no_clean_scan():
    (scan,) = (t for t in texts(load(ROOT / "pipelines/release.yml")) if "trivy" in t)
    assert "the scan could not run" in scan
    assert scan.rstrip().endswith('exit "$code"')


@pytest.mark.parametrize("workflow", ["test", "update"])
def test_actions_are_pinned_by_commit(workflow):
    workflow = load(ROOT / f".github/workflows/{workflow}.yml")
    actions = [v["uses"] for v in walk(workflow) if isinstance(v, dict) and "uses" in v]
    assert actions
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in actions)


def test_nothing_is_pasted_twice():
    """Steps of more than a line are written once; what two pipelines need is a template."""
    seen: dict[str, Path] = {}
    for path in PIPELINES:
        for mapping in walk(load(path)):
            body = mapping.get("script") if isinstance(mapping, dict) else None
            if isinstance(body, str) and body.count("\n") > 1:
                assert body not in seen, f"{path.name} repeats {seen[body].name}"
                seen[body] = path
