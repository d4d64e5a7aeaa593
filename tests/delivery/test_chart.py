"""The Helm chart and the plain manifests rendered from it."""

import json
import re

import kubernetes_validate
import pytest
import yaml
from helm_python import HelmError, lint

from helm import render
from tests.delivery.charts import (
    EXAMPLES,
    KUBERNETES,
    OF_OTHERS,
    SECRET,
    VALUE_SETS,
    containers,
    given,
    named,
    objects,
    only,
    pod_specs,
    text_of,
)
from tests.servers import ROOT

pytestmark = pytest.mark.slow

each_set = pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)


def test_there_is_an_example_for_each_situation():
    assert [path.stem for path in EXAMPLES] == [
        "aks", "argo-cd", "eks-or-gke", "one-machine", "openshift",
    ]  # fmt: skip
    readme = text_of(render.CHART / "README.md")
    assert all(f"examples/{path.name}" in readme for path in EXAMPLES)


@each_set
def test_it_works(values):
    assert lint(render.CHART, given(values), strict=True)["errors"] == []
    kinds = {document["kind"] for document in objects(values)}
    assert {"Deployment", "Service", "ConfigMap"} <= kinds


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_is_what_the_kubernetes_api_takes(version):
    for values in VALUE_SETS:
        for document in objects(values):
            if document["kind"] not in OF_OTHERS:
                kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_key_would_be_noticed():
    deployment = only(objects(VALUE_SETS[0]), "Deployment")
    deployment["spec"]["revisionHistoryLimitt"] = 5
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, KUBERNETES[-1], strict=True)


@each_set
def test_requests_reach_the_server_and_nothing_else(values):
    documents = objects(values)
    labels = {
        document["metadata"]["name"]: metadata["labels"].items()
        for document, metadata, _ in pod_specs(documents)
    }
    server = only(documents, "Deployment")["metadata"]["name"]
    selectors = [
        only(documents, "Deployment")["spec"]["selector"]["matchLabels"],
        only(documents, "Service")["spec"]["selector"],
    ]
    selectors += [
        document["spec"]["selector"]["matchLabels"]
        for document in documents
        if document["kind"] == "PodDisruptionBudget"
    ]
    for selector in selectors:
        assert [name for name, of in labels.items() if selector.items() <= of] == [server]
    for document in documents:
        if document["kind"] == "ServiceMonitor":
            service = only(documents, "Service")["metadata"]["labels"].items()
            assert document["spec"]["selector"]["matchLabels"].items() <= service


@each_set
def test_ports_and_probes_agree_with_the_server(values):
    documents = objects(values)
    server = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert {port["name"]: port["containerPort"] for port in server["ports"]} == {"http": 8000}
    assert "PORT=8000" in (ROOT / "Dockerfile").read_text()
    assert only(documents, "Service")["spec"]["ports"][0]["targetPort"] == "http"
    paths = {
        kind: server[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }
    assert {kind: get["path"] for kind, get in paths.items()} == {
        "startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz",
    }  # fmt: skip
    settings = named(documents, "ConfigMap", only(documents, "Deployment")["metadata"]["name"])
    hosts = settings["data"]["ALLOWED_HOSTS"].split(",")
    for get in paths.values():
        assert get["port"] == "http"
        assert {header["name"]: header["value"] for header in get["httpHeaders"]}["Host"] in hosts


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_watches_a_pod_may_ask_it_by_its_address(arkham, client, db, path):
    """Prometheus cannot send another Host."""
    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_whom_the_ingress_brings_gets_no_figures(arkham, client, db):
    response = client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def named_by_pods(documents):
    """(kind, name) of every object that a pod needs."""
    for _, _, spec in pod_specs(documents):
        if "serviceAccountName" in spec:
            yield "ServiceAccount", spec["serviceAccountName"]
        for volume in spec.get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                yield "PersistentVolumeClaim", claim["claimName"]
        for container in containers(spec):
            for variable in container.get("env", []):
                if source := variable.get("valueFrom"):
                    yield "Secret", source["secretKeyRef"]["name"]
            for source in container.get("envFrom", []):
                ((reference, of),) = source.items()
                yield {"secretRef": "Secret", "configMapRef": "ConfigMap"}[reference], of["name"]


def named_by_others(documents):
    """(kind, name) of the target of an Ingress, a route or a HorizontalPodAutoscaler."""
    for document in documents:
        if document["kind"] == "Ingress":
            for rule in document["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    yield "Service", path["backend"]["service"]["name"]
        if document["kind"] == "HTTPRoute":
            for rule in document["spec"]["rules"]:
                yield from (("Service", backend["name"]) for backend in rule["backendRefs"])
        if document["kind"] == "HorizontalPodAutoscaler":
            target = document["spec"]["scaleTargetRef"]
            yield target["kind"], target["name"]


@each_set
def test_every_name_an_object_refers_to_exists(values):
    documents = objects(values)
    values = given(values)
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    names.add(("Secret", values["secret"].get("existing")))
    names.add(("ServiceAccount", values.get("serviceAccount", {}).get("name")))
    names.add(("PersistentVolumeClaim", values.get("models", {}).get("existingClaim")))
    named = {*named_by_pods(documents), *named_by_others(documents)}
    assert {kind for kind, _ in named} >= {"Secret", "ConfigMap", "ServiceAccount"}
    assert named - names == set()


@each_set
def test_every_mounted_volume_exists(values):
    for _, _, spec in pod_specs(objects(values)):
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        for container in containers(spec):
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes


@each_set
def test_no_container_may_do_more_than_it_needs(values):
    for _, _, spec in pod_specs(objects(values)):
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in containers(spec):
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} <= set(container["resources"])


@each_set
def test_whatever_the_code_writes_to_is_mounted(values):
    """The root file system is read-only."""
    documents = objects(values)
    models = "models" in given(values)
    wanted = {"Job": {"/tmp"}, "Pod": set(), "Deployment": {"/data", "/tmp"}}
    wanted["CronJob"] = wanted["Deployment"]
    for document, _, spec in pod_specs(documents):
        serves = document["kind"] in ("Deployment", "CronJob")
        for container in containers(spec):
            mounts = {m["mountPath"] for m in container.get("volumeMounts", [])}
            mounts -= {"/etc/batcomputer/authorities"}  # only read
            assert mounts == wanted[document["kind"]] | (
                {"/models"} if models and serves else set()
            )


def test_a_drain_of_nodes_leaves_pods_running_where_there_are_several():
    several = only(objects(render.CHART / "ci/smallest-values.yaml"), "PodDisruptionBudget")
    assert several["spec"]["maxUnavailable"] == 1
    one = objects(render.CHART / "ci/plain-http-values.yaml")
    assert "PodDisruptionBudget" not in {document["kind"] for document in one}, "it would block"


def test_the_autoscaler_alone_says_how_many():
    documents = objects(render.CHART / "ci/everything-values.yaml")
    assert "replicas" not in only(documents, "Deployment")["spec"]
    (cpu,) = only(documents, "HorizontalPodAutoscaler")["spec"]["metrics"]
    server = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert cpu["resource"]["name"] in server["resources"]["requests"], "percent of what?"


def test_the_user_is_the_images_own():
    _, _, spec = next(pod_specs(objects({"secret": SECRET})))
    context = spec["securityContext"]
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in text_of(ROOT / "Dockerfile")


def test_a_pod_has_time_to_drain_and_to_finish():
    spec = only(objects({"secret": SECRET}), "Deployment")["spec"]["template"]["spec"]
    drain = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    graceful = 30  # batcomputer/gunicorn_conf.py
    assert f"graceful_timeout = {graceful}" in text_of(ROOT / "batcomputer/gunicorn_conf.py")
    assert spec["terminationGracePeriodSeconds"] >= drain + graceful + 5


def test_what_runs_before_the_install_brings_along_what_it_needs():
    """Nothing of the chart exists yet when a pre-install hook runs."""
    secret = {"values": {"SECRET_KEY": "x" * 32, "DATABASE_URL": "postgres://db/b"}}
    documents = objects({"secret": secret})
    hooks = [d for d in documents if "helm.sh/hook" in d["metadata"].get("annotations", {})]
    before = [d for d in hooks if "pre-install" in d["metadata"]["annotations"]["helm.sh/hook"]]
    assert [d["kind"] for d in before] == ["Secret", "NetworkPolicy", "Job"]
    job = before[2]["spec"]["template"]["spec"]
    assert "serviceAccountName" not in job
    sources = job["containers"][0]["envFrom"]
    assert sources == [{"secretRef": {"name": before[0]["metadata"]["name"]}}]
    weights = [int(d["metadata"]["annotations"]["helm.sh/hook-weight"]) for d in before]
    assert weights == [-5, -5, 0]


def test_models_are_fetched_before_the_server_starts():
    values = render.CHART / "ci/azure-values.yaml"
    deployment = only(objects(values), "Deployment")["spec"]["template"]
    fetching = [c["args"] for c in deployment["spec"]["initContainers"]]
    assert fetching == [
        ["python", "manage.py", "fetch_model", "crime", "1.0.0"],
        ["python", "manage.py", "fetch_model", "titanic", "latest"],
    ]
    assert deployment["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    account = named(objects(values), "ServiceAccount", deployment["spec"]["serviceAccountName"])[
        "metadata"
    ]
    assert set(account["annotations"]) == {"azure.workload.identity/client-id"}


def test_what_is_fetched_answers_whatever_was_activated():
    """A pod has one version; were another one active, it would answer with none."""
    documents = objects(render.CHART / "ci/azure-values.yaml")
    assert only(documents, "ConfigMap")["data"]["MODEL_VERSION"] == "crime=1.0.0"
    fetched = {"fetch": [{"name": "crime", "version": "latest"}]}
    documents = objects({"secret": SECRET, "models": fetched})
    # not the image's own pin, which is for the models that are in it
    assert only(documents, "ConfigMap")["data"]["MODEL_VERSION"] == ""


def test_without_a_pin_the_first_version_named_is_only_activated_first():
    """A pod has the active version and the candidate; the database says which answers."""
    fetched = [{"name": "crime", "version": v} for v in ("1.0.0", "1.1.0", "latest")]
    fetched.append({"name": "titanic", "version": "2.0.0"})
    documents = objects({"secret": SECRET, "models": {"fetch": fetched, "pin": False}})
    settings = only(documents, "ConfigMap")["data"]
    assert settings["MODEL_VERSION"] == ""
    assert settings["INITIAL_VERSION"] == "crime=1.0.0,titanic=2.0.0"


def test_the_spool_outlives_its_pod_where_there_is_a_volume_for_it():
    documents = objects(render.CHART / "ci/azure-values.yaml")
    claim = only(documents, "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"], "all pods write theirs there"
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    spec = only(documents, "Deployment")["spec"]["template"]["spec"]
    (data,) = (volume for volume in spec["volumes"] if volume["name"] == "data")
    assert data["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "SPOOL_DIR=/data/spool" in text_of(ROOT / "Dockerfile")


@each_set
def test_what_a_pod_may_write_fits_its_share_of_the_node(values):
    """A pod over its share of the node's disk is evicted, with what its spool holds."""
    spec = only(objects(values), "Deployment")["spec"]["template"]["spec"]
    own = [volume["emptyDir"]["sizeLimit"] for volume in spec["volumes"] if "emptyDir" in volume]
    limit = spec["containers"][0]["resources"]["limits"]["ephemeral-storage"]
    assert sum(map(mebibytes, own)) < mebibytes(limit)


def mebibytes(quantity):
    number, unit = re.fullmatch(r"(\d+)([MG])i", quantity).groups()
    return int(number) * (1024 if unit == "G" else 1)


@each_set
def test_the_server_reaches_and_is_reached_by_what_it_needs(values):
    documents = objects(values)
    for policy in (d["spec"] for d in documents if d["kind"] == "NetworkPolicy"):
        names, others, *_ = policy["egress"]
        assert {(53, "UDP"), (53, "TCP")} <= {(p["port"], p["protocol"]) for p in names["ports"]}
        if policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test":
            continue  # tests/delivery/test_chart_pods.py looks at that one
        assert {5432, 443} <= {port["port"] for port in others["ports"]}
        assert "to" not in names | others, "where they are is not known"
        if "ingress" not in policy:
            continue  # the migration and the upkeep are asked by no one
        (rule,) = policy["ingress"]
        assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]
        if "from" not in rule:
            continue  # everyone may ask
        peers = [
            peer.get("podSelector", {}).get("matchLabels", {}).items() for peer in rule["from"]
        ]
        test = only(documents, "Pod")["metadata"]["labels"].items()
        assert any(labels and labels <= test for labels in peers)
        if given(values).get("serviceMonitor"):
            assert {"app.kubernetes.io/name": "prometheus"}.items() in peers
        assert all(p in rule["from"] for p in given(values)["networkPolicy"]["ingressFrom"])


REFUSED = {
    "no secret": ({}, "secret.existing, or secret.values.SECRET_KEY"),
    "no database": ({"secret": {"values": {"SECRET_KEY": "x" * 32}}}, "DATABASE_URL"),
    "two pods on SQLite": ({"secret": SECRET, "database": "sqlite"}, "one pod"),
    "an ingress without a host": ({"secret": SECRET, "ingress": {"enabled": True}}, "ingress.host"),
    "a misspelt value": ({"secret": SECRET, "replica": 2}, "replica"),
    "a short key": ({"secret": {"values": {"SECRET_KEY": "short"}}}, "SECRET_KEY"),
    "a secret in clear": ({"secret": SECRET, "settings": {"DATABASE_URL": "x"}}, "DATABASE_URL"),
    "a misspelt setting": ({"secret": SECRET, "settings": {"THROTLE_RATE": "9/s"}}, "THROTLE_RATE"),
    "a misspelt secret": ({"secret": {"values": {"SECRETKEY": "x" * 32}}}, "SECRETKEY"),
    "a password in clear": (
        {"secret": SECRET, "settings": {"CACHE_URL": "redis://:secret@redis:6379/0"}}, "CACHE_URL"
    ),
    "no time to drain": (
        {"secret": SECRET, "drainSeconds": 30}, "terminationGracePeriodSeconds must be at least"
    ),
    "fewest over most": (
        {"secret": SECRET, "autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}},
        "minReplicas is more",
    ),
    "no version": ({"secret": SECRET, "models": {"fetch": [{"name": "a"}]}}, "version"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "says"), REFUSED.values(), ids=REFUSED)
def test_it_rejects(values, says):
    with pytest.raises(HelmError, match=says):
        objects(values)


def test_every_setting_may_be_set():
    schema = json.loads(text_of(render.CHART / "values.schema.json"))
    of_the_server, of_others = schema["definitions"]["setting"]["anyOf"]
    sample = re.findall(r"^#([A-Z_]+)=", text_of(ROOT / ".env.sample"), re.MULTILINE)
    assert of_the_server["enum"] == sorted(sample)
    assert not set(of_others["enum"]) & set(sample)


def test_every_value_is_in_the_schema_and_in_the_readme():
    values = yaml.safe_load(text_of(render.CHART / "values.yaml"))
    schema = json.loads(text_of(render.CHART / "values.schema.json"))["properties"]
    assert set(values) == set(schema)
    documented = {name.split(".")[0] for name, _, _ in render.rows_of_values()}
    assert documented == set(values)


def test_what_is_rendered_from_the_chart_is_current():
    for path, text in render.written().items():
        assert path.read_text() == text, f"{path.name}: run python helm/render.py"


def test_the_plain_manifests_know_no_helm():
    for path in render.plain_manifests():
        content = path.read_text().removeprefix(render.HEADER)
        assert "helm" not in content.lower()
        for document in yaml.safe_load_all(content):
            if document["kind"] not in OF_OTHERS:
                kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)
