"""The rules for every pod of the chart, and the values for the needs of a cluster."""

import shutil

import pytest
import yaml
from helm_python import Chart, HelmError

from batcomputer import __version__
from helm import render
from tests.delivery.charts import (
    SECRET,
    containers,
    named,
    objects,
    only,
    pod_specs,
    server_of,
    some,
    text_of,
)
from tests.servers import ROOT

pytestmark = pytest.mark.slow

EVERY_POD = {  # values that all pods obey: the server's, the migration's, the CronJobs', the test's
    "nodeSelector": {"pool": "batcave"},
    "tolerations": [{"key": "batcave", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "priorityClassName": "business",
    "runtimeClassName": "gvisor",
    "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["db.gotham"]}],
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["10.0.0.53"]},
}
ALL_KINDS = {"Deployment", "Job", "CronJob", "Pod"}
UPKEEP = {
    "prune": {"enabled": True, "olderThan": "400d"},
    "drift": {"enabled": True},
    "replay": {"enabled": True},
}


def everything(**values):
    """Objects with every kind of pod."""
    return some(upkeep=UPKEEP, persistence={"spool": True}, **values)


def test_every_pod_obeys_what_says_where_pods_run():
    documents = everything(**EVERY_POD)
    assert {document["kind"] for document, _, _ in pod_specs(documents)} == ALL_KINDS
    for document, _, spec in pod_specs(documents):
        got = {key: spec.get(key) for key in EVERY_POD}
        assert got == EVERY_POD, document["kind"]


def test_every_pod_has_the_labels_and_annotations_of_all():
    documents = everything(
        podLabels={"cost": "crime"}, podAnnotations={"owner": "wayne"}, commonLabels={"team": "bat"}
    )
    for document, metadata, _ in pod_specs(documents):
        assert metadata["labels"].items() >= {"cost": "crime", "team": "bat"}.items()
        assert metadata["annotations"]["owner"] == "wayne", document["kind"]
    for document in documents:
        assert document["metadata"]["labels"]["team"] == "bat", document["kind"]


def test_pods_that_end_can_do_without_a_meshs_sidecar():
    jobs = {
        "podLabels": {"sidecar.istio.io/inject": "false"},
        "podAnnotations": {"linkerd.io/inject": "disabled"},
    }
    for document, metadata, _ in pod_specs(everything(jobs=jobs)):
        without = document["kind"] != "Deployment"
        assert ("sidecar.istio.io/inject" in metadata["labels"]) == without
        assert ("linkerd.io/inject" in metadata.get("annotations", {})) == without


def test_no_label_of_a_user_can_take_pods_from_the_service():
    wrong = {"app.kubernetes.io/component": "x", "app.kubernetes.io/instance": "y"}
    documents = some(podLabels=wrong, commonLabels=wrong)
    labels = only(documents, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert only(documents, "Service")["spec"]["selector"].items() <= labels.items()


def test_every_pod_has_its_way_through_the_network():
    """If the cluster denies by default, a pod without a policy cannot reach anything."""
    documents = everything()
    policies = [d["spec"] for d in documents if d["kind"] == "NetworkPolicy"]
    for document, metadata, _ in pod_specs(documents):
        mine = [
            policy
            for policy in policies
            if policy["podSelector"]["matchLabels"].items() <= metadata["labels"].items()
        ]
        assert len(mine) == 1, document["metadata"]["name"]
        ports = {port["port"] for rule in mine[0]["egress"] for port in rule.get("ports", [])}
        assert 53 in ports
        if document["kind"] == "Pod":
            (to,) = mine[0]["egress"][1]["to"]
            server = only(documents, "Service")["spec"]["selector"]
            assert to["podSelector"]["matchLabels"] == server
        else:
            assert 5432 in ports


def test_the_way_of_a_hook_is_there_before_the_hook():
    documents = everything()
    for hook in ("Job", "Pod"):
        pod = only(documents, hook)["metadata"]
        policy = named(documents, "NetworkPolicy", pod["name"])["metadata"]
        for key in ("helm.sh/hook", "helm.sh/hook-delete-policy"):
            assert policy["annotations"][key] == pod["annotations"][key]
        weight = "helm.sh/hook-weight"
        assert int(policy["annotations"][weight]) < int(pod["annotations"][weight])


def test_what_pods_may_reach_can_be_said_exactly():
    database = {"ipBlock": {"cidr": "10.9.0.4/32"}}
    kafka = {"to": [{"podSelector": {}}], "ports": [{"port": 9092}]}
    documents = some(
        networkPolicy={
            "egressPorts": [5432], "egressTo": [database], "egress": [kafka],
            "dnsPorts": [53, 5353],
        }
    )  # fmt: skip
    for name in ("test-batcomputer", "test-batcomputer-migrate"):
        names, database_rule, kafka_rule = named(documents, "NetworkPolicy", name)["spec"]["egress"]
        assert {port["port"] for port in names["ports"]} == {53, 5353}
        assert database_rule["to"] == [database]
        assert kafka_rule == kafka


def test_variables_and_volumes_reach_every_container_that_runs_the_servers_code():
    documents = everything(
        extraEnv=[{"name": "NO_PROXY", "value": ".svc"}, {"name": "HTTPS", "value": "true"}],
        extraEnvFrom=[{"secretRef": {"name": "more"}}],
        extraVolumes=[{"name": "keys", "secret": {"secretName": "keys"}}],
        extraVolumeMounts=[{"name": "keys", "mountPath": "/keys", "readOnly": True}],
        models={"fetch": [{"name": "crime", "version": "1.0.0"}]},
    )
    for document, _, spec in pod_specs(documents):
        if document["kind"] == "Pod":
            continue  # the test only asks over HTTP
        assert {"name": "keys", "secret": {"secretName": "keys"}} in spec["volumes"]
        for container in containers(spec):
            names = [variable["name"] for variable in container["env"]]
            assert {"NO_PROXY", "HTTPS"} <= set(names)
            assert len(names) == len(set(names)), "a server-side apply refuses duplicates"
            assert {"secretRef": {"name": "more"}} in container["envFrom"]
            assert "/keys" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize(
    ("kind", "volume"),
    [
        ("ConfigMap", {"configMap": {"name": "mine"}}),
        ("Secret", {"secret": {"secretName": "mine"}}),
    ],
)
def test_an_authority_of_ones_own_is_delivered(kind, volume):
    documents = some(certificateAuthorities={"name": "mine", "kind": kind, "key": "bundle.pem"})
    settings = only(documents, "ConfigMap")["data"]
    for document, _, spec in pod_specs(documents):
        if document["kind"] == "Pod":
            continue
        (authorities,) = (v for v in spec["volumes"] if v["name"] == "authorities")
        ((source, described),) = ((k, v) for k, v in authorities.items() if k != "name")
        assert described.pop("items") == [{"key": "bundle.pem", "path": "ca.crt"}]
        assert {source: described} == volume
        (mount,) = (m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "authorities")
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            assert settings[name] == f"{mount['mountPath']}/ca.crt"
    job = only(documents, "Job")["spec"]["template"]["spec"]["containers"][0]
    assert {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} <= {variable["name"] for variable in job["env"]}


def test_containers_come_before_and_beside_the_server():
    documents = some(
        initContainers=[{"name": "wait", "image": "a"}],
        extraContainers=[{"name": "pooler", "image": "b"}],
        models={"fetch": [{"name": "crime", "version": "1.0.0"}]},
    )
    spec, _ = server_of(documents)
    assert [c["name"] for c in spec["initContainers"]] == ["wait", "fetch-crime"]
    assert [c["name"] for c in spec["containers"]] == ["server", "pooler"]


def test_the_cluster_may_choose_the_user():
    """OpenShift's restricted policy refuses a pod that names one."""
    values = render.CHART.parent / "examples/openshift.yaml"
    for _, _, spec in pod_specs(objects(values)):
        assert spec["securityContext"] == {
            "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"},
        }  # fmt: skip
        for container in containers(spec):
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("image", "overall", "expected"),
    [
        ({"repository": "batcomputer"}, "mirror.example.org", "mirror.example.org/batcomputer"),
        ({"repository": "a.azurecr.io/x/bat"}, "mirror:5000/m", "mirror:5000/m/x/bat"),
        ({"repository": "localhost/bat"}, "mirror.example.org", "mirror.example.org/bat"),
        ({"repository": "team/bat", "registry": "quay.io"}, "", "quay.io/team/bat"),
        ({"repository": "team/bat"}, "", "team/bat"),
    ],
)
def test_a_registry_for_all_charts_counts(image, overall, expected):
    documents = everything(
        image={**image, "tag": "1"},
        imagePullSecrets=["mine"],
        **{"global": {"imageRegistry": overall, "imagePullSecrets": ["all", {"name": "mapped"}]}},
    )
    for _, _, spec in pod_specs(documents):
        assert {container["image"] for container in containers(spec)} == {f"{expected}:1"}
        assert [s["name"] for s in spec["imagePullSecrets"]] == ["mine", "all", "mapped"]


@pytest.fixture
def parent(tmp_path):
    """A chart that depends on this one, switched by a condition."""
    folder = tmp_path / "gotham"
    shutil.copytree(render.CHART, folder / "charts/batcomputer")
    dependency = {"name": "batcomputer", "version": "1.0.0", "condition": "batcomputer.enabled"}
    about = {"apiVersion": "v2", "name": "gotham", "version": "0.1.0", "dependencies": [dependency]}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))

    def render_with(values):
        rendered = Chart.load(folder).render(values, name="test", namespace="gotham")
        return [
            document
            for name, text in rendered.items()
            if name.endswith(".yaml")
            for document in yaml.safe_load_all(text)
            if document
        ]

    return render_with


def test_a_parent_chart_switches_it_by_a_condition(parent):
    assert parent({"batcomputer": {"enabled": False}}) == []
    own = {"enabled": True, "secret": SECRET}
    on = parent({"batcomputer": own, "global": {"imageRegistry": "mirror.io"}})
    _, server = server_of(on)
    assert server["image"] == f"mirror.io/batcomputer:{__version__}"


def test_alone_it_does_not_ignore_that_it_is_off():
    with pytest.raises(HelmError, match="for a parent chart"):
        some(enabled=False)


@pytest.mark.parametrize(
    ("models", "volume"),
    [
        ({"existingClaim": "mine"}, {"persistentVolumeClaim": {"claimName": "mine"}}),
        (
            {"image": "registry.example.org/models:7"},
            {"image": {"reference": "registry.example.org/models:7", "pullPolicy": "IfNotPresent"}},
        ),
    ],
)
def test_models_come_from_a_claim_or_an_image(models, volume):
    documents = some(models=models)
    spec, server = server_of(documents)
    (mount,) = (m for m in server["volumeMounts"] if m["mountPath"] == "/models")
    assert mount.get("readOnly", False) == ("image" in models)
    assert {"name": mount["name"], **volume} in spec["volumes"]
    assert only(documents, "ConfigMap")["data"]["MODEL_VERSION"] == "", "not the image's own pins"


def test_a_large_model_has_time_to_start():
    documents = some(probes={"startup": {"periodSeconds": 10, "failureThreshold": 90}})
    _, server = server_of(documents)
    probe = server["startupProbe"]
    assert (probe["periodSeconds"], probe["failureThreshold"], probe["timeoutSeconds"]) == (
        10,
        90,
        5,
    )
    assert probe["httpGet"]["path"] == "/healthz"


def test_pods_are_replaced_and_spread_and_scaled_as_somebody_says():
    spread = [{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 60}}
    documents = some(
        strategy={"rollingUpdate": {"maxUnavailable": 1}},
        topologySpreadConstraints=spread,
        autoscaling={
            "enabled": True, "targetCPUUtilizationPercentage": 0, "behavior": behavior,
            "targetMemoryUtilizationPercentage": 80,
            "metrics": [{"type": "External"}],
        },
        podDisruptionBudget={"minAvailable": "50%"},
        deploymentAnnotations={"reloader.stakater.com/auto": "true"},
    )  # fmt: skip
    deployment = only(documents, "Deployment")
    assert deployment["metadata"]["annotations"] == {"reloader.stakater.com/auto": "true"}
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 1}
    assert deployment["spec"]["template"]["spec"]["topologySpreadConstraints"] == spread
    scaler = only(documents, "HorizontalPodAutoscaler")["spec"]
    memory, external = scaler["metrics"]
    assert memory["resource"]["name"] == "memory"
    assert external == {"type": "External"}
    assert scaler["behavior"]["scaleUp"] == behavior["scaleUp"]
    budget = only(documents, "PodDisruptionBudget")["spec"]
    assert budget["minAvailable"] == "50%"
    assert "maxUnavailable" not in budget


def test_somebody_else_may_migrate():
    kinds = {d["kind"] for d in some(migrations={"enabled": False})}
    assert "Job" not in kinds
    spec, _ = server_of(
        objects({"secret": {"values": {"SECRET_KEY": "x" * 32}}, "replicas": 1,
                 "database": "sqlite", "migrations": {"enabled": False}})
    )  # fmt: skip
    assert "initContainers" not in spec


def test_the_migration_has_the_identity_that_the_server_has():
    """The database may know no password, only that identity."""
    account = {"annotations": {"eks.amazonaws.com/role-arn": "arn:x"}}
    documents = some(serviceAccount=account)
    job = only(documents, "Job")["spec"]["template"]["spec"]
    own = named(documents, "ServiceAccount", job["serviceAccountName"])["metadata"]
    assert own["annotations"]["eks.amazonaws.com/role-arn"] == "arn:x"
    assert "pre-install" in own["annotations"]["helm.sh/hook"]
    shared = some(serviceAccount={"create": False, "name": "shared"})
    job = only(shared, "Job")["spec"]["template"]["spec"]
    assert job["serviceAccountName"] == "shared"


def test_the_clock_starts_commands_that_exist():
    documents = everything(models={"fetch": [{"name": "crime", "version": "1.0.0"}]})
    jobs = {d["metadata"]["name"]: d["spec"] for d in documents if d["kind"] == "CronJob"}
    assert set(jobs) == {f"test-batcomputer-{name}" for name in UPKEEP}
    for name, job in jobs.items():
        assert job["concurrencyPolicy"] == "Forbid"
        spec = job["jobTemplate"]["spec"]["template"]["spec"]
        command = spec["containers"][0]["args"][2]
        assert (ROOT / f"predictor/management/commands/{command}.py").exists()
        assert ("initContainers" in spec) == name.endswith("drift"), "only drift asks a model"
    prune = jobs["test-batcomputer-prune"]["jobTemplate"]["spec"]["template"]["spec"]
    assert prune["containers"][0]["args"][3:] == ["--older-than", "400d"]
    assert "CronJob" not in {d["kind"] for d in some()}


def test_other_objects_come_along():
    secret = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "{{ .Release.Name }}-x"},
    }
    assert named(some(extraObjects=[secret]), "ConfigMap", "test-x")


REFUSED = {
    "an endless age": ({"upkeep": {"prune": {"enabled": True}}}, "olderThan"),
    "a wrong age": ({"upkeep": {"prune": {"olderThan": "soon"}}}, "olderThan"),
    "a spool of each pod's own": ({"upkeep": {"replay": {"enabled": True}}}, "persistence.spool"),
    "another pod at SQLite's file": (
        {"upkeep": {"drift": {"enabled": True}}, "database": "sqlite", "replicas": 1}, "postgresql"
    ),
    "two places for models": ({"models": {"existingClaim": "a", "image": "b"}}, "only one of them"),
    "fetching into an image": (
        {"models": {"image": "b", "fetch": [{"name": "a", "version": "1"}]}}, "writes to /models"
    ),
    "a tag that YAML takes for a number": ({"image": {"tag": 4711}}, "tag"),
    "a misspelt hatch": ({"extraEnvs": []}, "extraEnvs"),
    "a misspelt time": ({"probes": {"startup": {"periodSecond": 1}}}, "periodSecond"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "says"), REFUSED.values(), ids=REFUSED)
def test_it_rejects(values, says):
    with pytest.raises(HelmError, match=says):
        some(**values)


def test_names_and_labels_may_be_of_ones_own():
    documents = some(nameOverride="oracle")
    service = only(documents, "Service")
    assert service["metadata"]["name"] == "test-oracle"
    assert service["spec"]["selector"]["app.kubernetes.io/name"] == "oracle"


def test_the_readme_has_every_hatch():
    readme = text_of(render.CHART / "README.md")
    for value in (
        "extraEnv",
        "podSecurityContext",
        "gateway.parentRefs",
        "certificateAuthorities.name",
    ):
        assert f"| `{value}` |" in readme
