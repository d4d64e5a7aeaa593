"""azure/deploy, with stand-ins for az, kubectl and helm that record their calls."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.slow  # every call of a stand-in is a process

# Notes its arguments, one JSON list per line, then answers as the table says: the first line
# whose words are all among the arguments, in any order; the rest of it is the answer, or a list
# of answers to the first, second… call. One that begins with "error" is a failure.
# -IS: a script of one file needs no site-packages, which take most of an interpreter's start.
STAND_IN = """#!PYTHON -IS
import json, os, sys
from pathlib import Path
arguments = [Path(sys.argv[0]).name, *sys.argv[1:]]
folder = Path(os.environ["STAND_INS"])
given = {a[1:]: Path(a[1:]).read_text() for a in arguments if a.startswith("@")}
if "--file" in arguments and "secret" in arguments:
    given["secret"] = Path(arguments[arguments.index("--file") + 1]).read_text()
for argument in arguments:
    if argument.startswith("--from-file="):
        files = sorted(Path(argument.partition("=")[2]).iterdir())
        given["secret"] = {file.name: file.read_text() for file in files}
with (folder / "asked").open("a") as asked:
    asked.write(json.dumps([arguments, given]) + "\\n")
calls = [json.loads(line)[0] for line in (folder / "asked").read_text().splitlines()]
for words, answers in json.loads((folder / "answers").read_text()):
    fits = lambda call: all(any(word in part for part in call) for word in words.split())
    if fits(arguments):
        answers = answers if isinstance(answers, list) else [answers]
        answer = answers[min(sum(map(fits, calls)), len(answers)) - 1]
        if answer.startswith("error"):
            sys.exit(answer)
        print(answer)
        break
""".replace("PYTHON", sys.executable)
# the server's name is verified, by the authorities that the image has
VERIFIED = "sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"
NONE_THERE = "error: (SecretNotFound) A secret with this name was not found in this key vault."
NO_ROLE = "error: (Forbidden) Caller is not authorized to perform action on resource."
ANSWERS = [
    ("az keyvault list-deleted", ""),
    ("az keyvault list", ""),
    ("az keyvault secret show", NONE_THERE),
    ("az keyvault show --query", "/subscriptions/1/vaults/batcomputerxyz"),
    ("az ad signed-in-user", "me-myself"),
    ("az deployment show properties.outputs.keyVault.value", "batcomputerxyz"),
    ("az deployment show properties.outputs.registryServer.value", "batcomputerxyz.azurecr.io"),
    ("az deployment show properties.outputs.storageAccount.value", "batcomputerxyz"),
    ("az deployment show properties.outputs.databaseHost.value", "db.example.org"),
    ("az deployment show properties.outputs.databasePort.value", "5432"),
    ("az deployment show properties.outputs.databaseLogin.value", "batcomputer"),
    ("az deployment show properties.outputs.databasePasswordFrom.value", "url"),
    ("az deployment show properties.outputs.workspace.value", "/workspaces/1"),
    ("az deployment show properties.outputs.identityClientId.value", "0000-1111"),
    ("az deployment show properties.outputs.url.value", "https://bat.example.org"),
]


@dataclass
class Azure:
    """The folder of the stand-ins, and their recorded calls."""

    folder: Path
    answers: list

    def deploy(self, *arguments, **settings):
        (self.folder / "answers").write_text(json.dumps(self.answers))
        (self.folder / "asked").write_text("")
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "STAND_INS": str(self.folder),
            "PATIENCE": "0",
            **settings,
        }
        return subprocess.run(
            [ROOT / "azure/deploy", *arguments], env=environment,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def asked(self, *words):
        """(arguments, files they name) of the calls with all of these words, in order."""
        lines = map(json.loads, (self.folder / "asked").read_text().splitlines())
        return [(call, files) for call, files in lines if set(words) <= set(call)]


@pytest.fixture
def azure(tmp_path):
    for name in ("az", "kubectl", "helm"):
        (tmp_path / name).write_text(STAND_IN)
        (tmp_path / name).chmod(0o755)
    return Azure(tmp_path, list(ANSWERS))


def test_the_platform_is_made_with_secrets_of_its_own(azure):
    done = azure.deploy("platform", "gotham", "westeurope")
    assert done.returncode == 0, done.stderr
    assert "batcomputerxyz.azurecr.io" in done.stdout
    ((deployment, files),) = azure.asked("az", "deployment", "create")
    assert "deployer=me-myself" in deployment
    password = next(
        parameters["databasePassword"]["value"]
        for parameters in (json.loads(text)["parameters"] for text in files.values())
        if "databasePassword" in parameters
    )
    kept = kept_secrets(azure)
    assert kept["database-password"] == password
    assert password in kept["database-url"]
    assert kept["database-url"].endswith(f"@db.example.org:5432/batcomputer?{VERIFIED}")
    assert len(kept["secret-key"]) == 64
    said = done.stdout + done.stderr + str([call for call, _ in azure.asked()])
    assert not any(secret in said for secret in kept.values()), "no secret is shown or in a list"


def kept_secrets(azure):
    """The secrets that the script wrote to the vault, by name."""
    return {call[call.index("--name") + 1]: f["secret"] for call, f in azure.asked("secret", "set")}


BY_IDENTITY = [
    ("az deployment show properties.outputs.databasePasswordFrom.value", "azure"),
    ("az deployment show properties.outputs.databaseLogin.value", "bat"),
]


def test_a_database_that_knows_the_identity_has_no_password(azure):
    azure.answers = [*BY_IDENTITY, *ANSWERS]
    assert azure.deploy("platform", "gotham", "westeurope").returncode == 0
    kept = kept_secrets(azure)
    assert set(kept) == {"secret-key", "database-url"}
    assert kept["database-url"] == f"postgres://bat@db.example.org:5432/batcomputer?{VERIFIED}"


@pytest.mark.parametrize(("said", "expected"), [("azure", "azure"), ("url", "url"), ("", "url")],
                         ids=["identity", "password", "a platform of before"])  # fmt: skip
def test_the_server_learns_where_the_password_comes_from(azure, said, expected):
    output = ("az deployment show properties.outputs.databasePasswordFrom.value", said)
    azure.answers = [output, *VAULT, *ANSWERS]
    assert azure.deploy("kubernetes", "gotham", "t", HOST="bat.example.org").returncode == 0
    ((helm, _),) = azure.asked("helm", "upgrade")
    assert f"settings.DATABASE_PASSWORD_FROM={expected}" in helm
    assert azure.deploy("container", "gotham", "t").returncode == 0
    ((deployment, _),) = azure.asked("az", "deployment", "create")
    assert f"databasePasswordFrom={expected}" in deployment


def test_no_answer_is_not_taken_for_one(azure):
    """Of either kind: a wrong one would leave the server without its database."""
    failed = ("az deployment show properties.outputs.databasePasswordFrom.value", "error: timeout")
    azure.answers = [failed, *VAULT, *ANSWERS]
    for way in (("platform", "gotham", "westeurope"), ("kubernetes", "gotham", "t")):
        assert azure.deploy(*way, HOST="bat.example.org").returncode != 0
        assert not kept_secrets(azure).keys() & {"database-url"}
        assert not azure.asked("helm", "upgrade")


@pytest.mark.parametrize("role", ["already has the role", "gets the role only now"])
def test_a_second_run_changes_no_secret(azure, role):
    """For every user: a secret that only cannot be read is still there."""
    late = [NO_ROLE] if role == "gets the role only now" else []
    azure.answers = [
        ("az keyvault list --resource-group", "batcomputerxyz"),
        ("az keyvault secret show secret-key", [*late, "s" * 64]),
        ("az keyvault secret show database-password", [*late, "the first one"]),
        *ANSWERS,
    ]
    done = azure.deploy("platform", "gotham", "westeurope")
    assert done.returncode == 0, done.stderr
    assert kept_secrets(azure) == {
        "database-url": "postgres://batcomputer:the first one@db.example.org:5432/batcomputer"
        f"?{VERIFIED}"
    }
    ((_, files),) = azure.asked("az", "deployment", "create")
    password = json.loads(next(text for text in files.values() if "databasePassword" in text))
    assert password["parameters"]["databasePassword"] == {
        "reference": {
            "secretName": "database-password",
            "keyVault": {"id": "/subscriptions/1/vaults/batcomputerxyz"},
        }
    }


def test_a_first_run_that_broke_off_is_finished_by_the_second(azure):
    azure.answers = [("az keyvault list --resource-group", "batcomputerxyz"), *ANSWERS]
    assert azure.deploy("platform", "gotham", "westeurope").returncode == 0
    assert set(kept_secrets(azure)) == {"secret-key", "database-password", "database-url"}


def test_without_the_role_it_stops_and_says_so(azure):
    azure.answers = [("az keyvault secret", NO_ROLE), *ANSWERS]
    done = azure.deploy("platform", "gotham", "westeurope")
    assert done.returncode == 1
    assert "Caller is not authorized" in done.stderr
    assert kept_secrets(azure) == {}


def test_a_removed_platforms_vault_is_taken_back(azure):
    azure.answers = [("az keyvault list-deleted", "batcomputerxyz"), *ANSWERS]
    assert azure.deploy("platform", "gotham", "westeurope").returncode == 0
    assert azure.asked("keyvault", "recover", "batcomputerxyz")


def test_the_container_gets_its_secrets_from_the_vault(azure):
    done = azure.deploy("container", "gotham", "crime-1.0.0-7", "crime", "1.0.0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "https://bat.example.org"
    ((deployment, files),) = azure.asked("az", "deployment", "create")
    assert {
        "image=batcomputerxyz.azurecr.io/batcomputer:crime-1.0.0-7",
        "dnsLabel=batcomputerxyz", "model=crime", "modelVersion=1.0.0",
    } <= set(deployment)  # fmt: skip
    (parameters,) = (json.loads(text)["parameters"] for text in files.values())
    vault = parameters["secretKey"]["reference"]["keyVault"]["id"]
    assert vault == "/subscriptions/1/vaults/batcomputerxyz"


VAULT = [
    ("az keyvault secret show secret-key", "the key"),
    ("az keyvault secret show database-url", "the database"),
]


def test_kubernetes_is_deployed_with_helm(azure):
    azure.answers = [*VAULT, *ANSWERS]
    done = azure.deploy("kubernetes", "gotham", "crime-1.0.0-7", HOST="bat.example.org")
    assert done.returncode == 0, done.stderr
    ((helm, _),) = azure.asked("helm", "upgrade")
    assert {
        "image.tag=crime-1.0.0-7", "secret.existing=batcomputer-secrets",
        "gateway.hosts={bat.example.org}", "serviceAccount.workloadIdentityClientId=0000-1111",
    } <= set(helm)  # fmt: skip
    ((_, files),) = azure.asked("kubectl", "secret", "batcomputer-secrets")
    assert files["secret"] == {"SECRET_KEY": "the key", "DATABASE_URL": "the database"}
    assert "the key" not in str([call for call, _ in azure.asked()])


def test_more_values_come_from_a_file(azure):
    azure.answers = [*VAULT, *ANSWERS]
    azure.deploy("kubernetes", "gotham", "t", HOST="bat.example.org", VALUES="my values.yaml")
    ((helm, _),) = azure.asked("helm", "upgrade")
    assert helm[helm.index("--values") + 1] == "my values.yaml"


def test_a_tag_of_digits_is_a_text(azure):
    """Helm would take it for a number, which the chart refuses."""
    azure.answers = [*VAULT, *ANSWERS]
    azure.deploy("kubernetes", "gotham", "4711", HOST="bat.example.org")
    ((helm, _),) = azure.asked("helm", "upgrade")
    assert helm[helm.index("image.tag=4711") - 1] == "--set-string"


DIGEST = f"sha256:{'0a' * 32}"


def test_the_digest_counts_where_it_is_known(azure):
    azure.answers = [*VAULT, *ANSWERS]
    azure.deploy("kubernetes", "gotham", "crime-7", HOST="bat.example.org", DIGEST=DIGEST)
    ((helm, _),) = azure.asked("helm", "upgrade")
    assert f"image.digest={DIGEST}" in helm
    azure.deploy("container", "gotham", "crime-7", DIGEST=DIGEST)
    ((deployment, _),) = azure.asked("az", "deployment", "create")
    # the tag stays next to it, as the name for a rollback
    assert {f"image=batcomputerxyz.azurecr.io/batcomputer@{DIGEST}", "tag=crime-7"} <= set(
        deployment
    )


def test_alerts_and_private_ends_are_for_the_platform_that_is_there(azure):
    assert azure.deploy("alerts", "gotham", "wayne@example.org").returncode == 0
    ((alerts, _),) = azure.asked("az", "deployment", "create")
    assert {"databaseName=db", "email=wayne@example.org"} <= set(alerts)
    assert not azure.asked("aks"), "no cluster was named"
    assert azure.deploy("private", "gotham", "/subnets/1").returncode == 0
    calls = [call for call, _ in azure.asked()]
    made = next(i for i, call in enumerate(calls) if "create" in call and "private" in call)
    closed = [i for i, call in enumerate(calls) if "Disabled" in call]
    assert len(closed) == 3
    assert made < min(closed), "the private way is there before the public one is closed"


def test_a_cluster_brings_the_servers_own_alerts(azure):
    assert azure.deploy("alerts", "gotham", "wayne@example.org", "arkham").returncode == 0
    calls = [call for call, _ in azure.asked("deployment", "create")]
    assert [call[call.index("--name") + 1] for call in calls] == ["alerts", "rules"]
    assert "cluster=arkham" in calls[1]
    ((update, _),) = azure.asked("aks", "update")
    assert {"--enable-azure-monitor-metrics", "arkham", "/workspaces/1"} <= set(update)
    assert azure.asked("kubectl", "wait"), "the next deployment finds it there"


def test_what_was_closed_stays_closed(azure):
    """A larger database is had by running the platform step again."""
    for there, expected in (("private", True), ("", False)):
        azure.answers = [("az deployment group list private", there), *ANSWERS]
        assert azure.deploy("platform", "gotham", "westeurope").returncode == 0
        ((deployment, _),) = azure.asked("az", "deployment", "create")
        assert ("publicAccess=Disabled" in deployment) == expected
        assert "" not in deployment


@pytest.mark.parametrize("there", [True, False])
def test_azures_prometheus_asks_the_server_where_it_is(azure, there):
    none = [] if there else [("kubectl get customresourcedefinition", "error: not found")]
    azure.answers = [*none, *VAULT, *ANSWERS]
    assert azure.deploy("kubernetes", "gotham", "t", HOST="bat.example.org").returncode == 0
    ((helm, _),) = azure.asked("helm", "upgrade")
    wanted = {"serviceMonitor.enabled=true", "serviceMonitor.apiVersion=azmonitoring.coreos.com/v1"}
    assert (wanted & set(helm)) == (wanted if there else set())


def test_another_secret_makes_new_pods(azure):
    def annotation(database):
        azure.answers = [VAULT[0], ("az keyvault secret show database-url", database), *ANSWERS]
        azure.deploy("kubernetes", "gotham", "crime-1.0.0-7", HOST="bat.example.org")
        ((helm, _),) = azure.asked("helm", "upgrade")
        return next(part for part in helm if part.startswith("podAnnotations"))

    assert annotation("the database") == annotation("the database")
    assert annotation("the database") != annotation("another one")


def test_the_key_for_helm_test_comes_along_once_there_is_one(azure):
    azure.answers = [*VAULT, ("az keyvault secret show smoke-api-key", "a key"), *ANSWERS]
    azure.deploy("kubernetes", "gotham", "crime-1.0.0-7", HOST="bat.example.org")
    ((_, files),) = azure.asked("kubectl", "secret", "batcomputer-secrets")
    assert files["secret"]["SMOKE_API_KEY"] == "a key"


def test_kubernetes_is_not_deployed_without_its_secrets(azure):
    azure.answers = [VAULT[0], *ANSWERS]
    done = azure.deploy("kubernetes", "gotham", "crime-1.0.0-7", HOST="bat.example.org")
    assert done.returncode == 1
    assert "gave no database-url" in done.stderr
    assert not azure.asked("kubectl")
    assert not azure.asked("helm", "upgrade")


def test_kubernetes_needs_a_host(azure):
    azure.answers = [*VAULT, *ANSWERS]
    done = azure.deploy("kubernetes", "gotham", "crime-1.0.0-7")
    assert done.returncode != 0
    assert "the name people use" in done.stderr
    assert not azure.asked("helm", "upgrade")


@pytest.mark.parametrize("fetches", ["", "crime 1.0.0", "crime 1.0.0 1.1.0"],
                         ids=["baked in", "fetched", "with a candidate"])  # fmt: skip
def test_back_to_the_container_that_ran_before(azure, fetches):
    image = f"batcomputerxyz.azurecr.io/batcomputer:old-6 {fetches}"
    azure.answers = [("az container list", image), *ANSWERS]
    before = azure.deploy("running", "container", "gotham").stdout.strip()
    assert before == f"old-6 {fetches}".strip()
    assert azure.deploy("back", "container", "gotham", before).returncode == 0
    ((deployment, _),) = azure.asked("az", "deployment", "create")
    model, version, candidate = [*fetches.split(), "", "", ""][:3]
    assert {
        "image=batcomputerxyz.azurecr.io/batcomputer:old-6",
        f"model={model}", f"modelVersion={version or 'latest'}", f"candidate={candidate}",
    } <= set(deployment)  # fmt: skip


def test_the_version_beside_a_candidate_is_named(azure):
    """latest may be the candidate, which would then answer."""
    done = azure.deploy("container", "gotham", "crime-7", "crime", "latest", "1.1.0")
    assert done.returncode == 2
    assert "name the version that answers" in done.stderr
    assert not azure.asked("az", "deployment", "create")


def test_back_to_the_helm_revision_that_ran_before(azure):
    listed = '[{"name":"batcomputer","namespace":"batcomputer","revision":"4","status":"deployed"}]'
    azure.answers = [("helm list", listed), *ANSWERS]
    before = azure.deploy("running", "kubernetes", "gotham").stdout.strip()
    assert before == "4"
    assert azure.deploy("back", "kubernetes", "gotham", before).returncode == 0
    ((rollback, _),) = azure.asked("helm", "rollback")
    assert rollback[2:4] == ["batcomputer", "4"]


@pytest.mark.parametrize("target", ["container", "kubernetes"])
def test_there_may_be_nothing_to_go_back_to(azure, target):
    azure.answers = [("helm list", "[]"), ("az container list", ""), *ANSWERS]
    before = azure.deploy("running", target, "gotham").stdout.strip()
    assert before == ""
    done = azure.deploy("back", target, "gotham", before)
    assert done.returncode == 0
    assert "nothing to go back to" in done.stderr
    assert not azure.asked("helm", "rollback")
    assert not azure.asked("az", "deployment", "create")


def test_what_goes_is_shown_before_it_goes(azure):
    azure.answers = [("az resource list", "Microsoft.Storage/storageAccounts\tbatcomputerxyz")]
    done = azure.deploy("remove", "gotham")
    assert "batcomputerxyz" in done.stdout
    ((delete, _),) = azure.asked("group", "delete")
    assert "--yes" not in delete, "az asks"


@pytest.mark.parametrize(
    "arguments",
    [(), ("platform",), ("platform", "gotham"), ("container", "gotham"), ("joker", "a", "b"),
     ("running", "joker", "gotham")],
    ids=" ".join,
)  # fmt: skip
def test_it_explains_itself(azure, arguments):
    done = azure.deploy(*arguments)
    assert done.returncode == 2
    assert "azure/deploy container GROUP TAG" in done.stderr
    assert not azure.asked()
