"""Values that Helm takes and a cluster would not: names, numbers, nothing where something was."""

import re
import shutil

import pytest
import yaml
from helm_python import Chart, HelmError

from helm import render
from tests.delivery.charts import SECRET, containers, named, objects, only, pod_specs, some
from tests.delivery.test_chart_pods import UPKEEP

pytestmark = pytest.mark.slow

SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")  # what Kubernetes calls an RFC 1035 label
EVERYTHING = {
    "secret": SECRET, "upkeep": UPKEEP, "persistence": {"spool": True},
    "dashboard": {"enabled": True}, "prometheusRule": {"enabled": True},
    "gateway": {"enabled": True, "className": "x", "hosts": ["a.example.org"]},
}  # fmt: skip


@pytest.mark.parametrize("release", ["a" * 53, "my.app", "9lives", "x" + "-a" * 26, "batcomputer"])
def test_every_release_that_helm_takes_has_names_that_kubernetes_takes(release):
    documents = objects(EVERYTHING, name=release)
    for document in documents:
        most = 52 if document["kind"] == "CronJob" else 63
        name = document["metadata"]["name"]
        assert SERVICE.fullmatch(name), document["kind"]
        assert len(name) <= most, document["kind"]
        assert all(len(label) <= 63 for label in document["metadata"]["labels"].values())


@pytest.mark.parametrize(
    ("one", "other"),
    [("one", "two"), ("x" * 46 + "-one", "x" * 46 + "-two")],
    ids=["short", "alike for 46 characters"],
)
def test_two_releases_are_in_one_namespace(one, other):
    def names(release):
        return {(d["kind"], d["metadata"]["name"]) for d in objects(EVERYTHING, name=release)}

    assert not names(one) & names(other)
    selectors = [
        only(objects({"secret": SECRET}, name=release), "Service")["spec"]["selector"]
        for release in (one, other)
    ]
    assert selectors[0] != selectors[1]


@pytest.mark.parametrize(
    "fetched",
    [
        [("crime", "1.0.0"), ("crime", "1.1.0")],
        [("a.b", "1"), ("a_b", "1"), ("A-b", "1")],
        [("z" * 64, "1"), ("z" * 63 + "y", "1"), ("a.", "1")],
    ],
    ids=["a candidate", "alike", "long"],
)
def test_every_container_has_a_name_of_its_own(fetched):
    """A release without a pin fetches two versions of one model: Kubernetes refuses equal names."""
    models = {"pin": False, "fetch": [{"name": n, "version": v} for n, v in fetched]}
    for _, _, spec in pod_specs(objects({**EVERYTHING, "models": models})):
        names = [container["name"] for container in containers(spec)]
        assert len(names) == len(set(names))
        assert all(SERVICE.fullmatch(name) for name in names)


def test_a_pull_secret_is_named_once():
    """A server-side apply refuses the second."""
    everywhere = {"imagePullSecrets": ["a", {"name": "b"}, "c"]}
    for _, _, spec in pod_specs(some(imagePullSecrets=["b", "a"], **{"global": everywhere})):
        assert spec["imagePullSecrets"] == [{"name": "b"}, {"name": "a"}, {"name": "c"}]


def test_numbers_stay_what_they_are():
    """Helm's own way of writing a large one is 1e+06."""
    documents = some(
        settings={"CSV_MAX_ROWS": 1_000_000, "DRIFT_THRESHOLD": 0.3, "WEB_CONCURRENCY": 4},
        migrations={"activeDeadlineSeconds": 1_000_000},
        terminationGracePeriodSeconds=1_000_000,
        drainSeconds=1_000,
    )
    settings = only(documents, "ConfigMap")["data"]
    assert settings["CSV_MAX_ROWS"] == "1000000"
    assert (settings["DRIFT_THRESHOLD"], settings["WEB_CONCURRENCY"]) == ("0.3", "4")
    assert only(documents, "Job")["spec"]["activeDeadlineSeconds"] == 1_000_000
    spec = only(documents, "Deployment")["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 1_000_000


@pytest.mark.parametrize("tag", ["4711", "0123", "1e5"])
def test_a_tag_may_look_like_a_number(tag):
    for _, _, spec in pod_specs(some(image={"tag": tag})):
        assert {c["image"] for c in containers(spec)} == {f"batcomputer:{tag}"}


NOTHING = [
    "imagePullSecrets", "commonLabels", "settings", "allowedHosts", "podLabels", "podAnnotations",
    "extraEnv", "extraVolumes", "tolerations", "affinity", "nodeSelector", "podSpec", "resources",
    "strategy", "podSecurityContext", "extraObjects", "trustedProxies", "deploymentAnnotations",
]  # fmt: skip


def test_a_list_or_map_may_be_empty_or_null():
    """As in a file in which the lines below the name are commented out."""
    values = yaml.safe_load((render.CHART / "values.yaml").read_text())
    for nothing in (lambda value: None, lambda value: type(value)()):
        given = {name: nothing(values[name]) for name in NOTHING}
        given["jobs"] = {"podLabels": None, "podAnnotations": None}
        given["serviceAccount"] = {"annotations": None}
        documents = some(**given)
        for _, metadata, _ in pod_specs(documents):
            assert metadata["labels"]["app.kubernetes.io/instance"] == "test"
        assert only(documents, "ConfigMap")["data"]["HTTPS"] == "false"


def test_a_part_that_is_null_is_named():
    """Helm takes null for "without the defaults", and would fail in the midst of a template."""
    for name in ("ingress", "models", "upkeep", "service"):
        with pytest.raises(HelmError, match=f"missing property '{name}'"):
            some(**{name: None})


def test_a_probe_can_be_left_out():
    server = only(some(probes={"liveness": None}), "Deployment")["spec"]["template"]["spec"]
    assert "livenessProbe" not in server["containers"][0]
    assert "startupProbe" in server["containers"][0]


def test_pods_can_be_replaced_at_once():
    """Kubernetes refuses rollingUpdate with Recreate, though the defaults contain it."""
    deployment = only(some(strategy={"type": "Recreate"}), "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("given", "rendered"),
    [
        ({"minAvailable": "100%"}, {"minAvailable": "100%"}),
        ({"minAvailable": 1}, {"minAvailable": 1}),
        ({"maxUnavailable": 0}, {"maxUnavailable": 0}),
        ({"maxUnavailable": None}, {"maxUnavailable": 1}),
        ({"maxUnavailable": None, "minAvailable": 2}, {"minAvailable": 2}),
    ],
)
def test_a_disruption_budget_is_as_given(given, rendered):
    budget = only(some(podDisruptionBudget=given), "PodDisruptionBudget")["spec"]
    assert {k: v for k, v in budget.items() if k.endswith("vailable")} == rendered


def test_one_pod_has_no_budget_whatever_may_scale_it():
    for scaled in ({"minReplicas": 1, "maxReplicas": 1}, {"minReplicas": 1, "maxReplicas": 9}):
        kinds = {d["kind"] for d in some(autoscaling={"enabled": True, **scaled})}
        assert "HorizontalPodAutoscaler" in kinds
        assert "PodDisruptionBudget" not in kinds, "it would block every drain of nodes"


def test_a_pod_gets_what_no_value_names():
    """One value for all fields that a cluster's own rules may require."""
    asked = {"hostUsers": False, "schedulerName": "volcano", "shareProcessNamespace": True}
    for document, _, spec in pod_specs(objects({**EVERYTHING, "podSpec": asked})):
        assert spec.items() >= asked.items(), document["kind"]
    with pytest.raises(HelmError, match="nodeSelector"):
        some(podSpec={"nodeSelector": {}})  # twice in one object


def test_every_name_of_a_wildcard_is_answered():
    """Django writes .example.org for what routes write *.example.org."""
    documents = some(
        gateway={"enabled": True, "hosts": ["*.example.org"], "parentRefs": [{"name": "a"}]}
    )
    settings = only(documents, "ConfigMap")["data"]
    assert ".example.org" in settings["ALLOWED_HOSTS"].split(",")
    assert settings["CSRF_TRUSTED_ORIGINS"] == "https://*.example.org"
    assert only(documents, "HTTPRoute")["spec"]["hostnames"] == ["*.example.org"]


@pytest.mark.parametrize(
    ("said", "https"), [("on", True), (1, True), (True, True), ("False", False), (0, False)]
)
def test_https_may_be_said_in_every_way_the_server_reads(said, https):
    ingress = {"enabled": True, "host": "a.example.org"}
    documents = some(ingress=ingress, settings={"HTTPS": said})
    assert ("CSRF_TRUSTED_ORIGINS" in only(documents, "ConfigMap")["data"]) == https
    assert ("--behind-tls" in only(documents, "Pod")["spec"]["containers"][0]["args"]) == https


def test_proxies_of_ipv6_are_believed_too():
    """Or pages behind TLS would be sent to HTTPS again and again."""
    proxies = only(some(listen="::"), "ConfigMap")["data"]["TRUSTED_PROXIES"].split(",")
    assert {"fc00::/7", "10.0.0.0/8"} <= set(proxies)


def test_the_port_of_nodes_and_the_time_of_routes_can_be_said():
    documents = some(
        service={"type": "NodePort", "nodePort": 30080},
        gateway={
            "enabled": True, "hosts": ["a.example"], "parentRefs": [{"name": "a"}],
            "timeouts": {"request": "120s"},
        },
    )  # fmt: skip
    assert only(documents, "Service")["spec"]["ports"][0]["nodePort"] == 30080
    (rule,) = only(documents, "HTTPRoute")["spec"]["rules"]
    assert rule["timeouts"] == {"request": "120s"}
    assert "nodePort" not in only(some(), "Service")["spec"]["ports"][0]


def test_it_is_a_dependency_twice_under_other_names(tmp_path):
    """With an alias for each, and a separate condition for each."""
    folder = tmp_path / "gotham"
    about = {"apiVersion": "v2", "name": "gotham", "version": "0.1.0", "dependencies": []}
    shutil.copytree(render.CHART, folder / "charts/batcomputer")
    for alias in ("crime", "titanic"):
        about["dependencies"].append({
            "name": "batcomputer", "version": "1.0.0", "alias": alias,
            "condition": f"{alias}.enabled",
        })  # fmt: skip
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))

    def rendered(**values):
        files = Chart.load(folder).render(values, name="test", namespace="gotham")
        texts = [text for name, text in files.items() if name.endswith(".yaml")]
        return [d for text in texts for d in yaml.safe_load_all(text) if d]

    own = {"secret": SECRET, "upkeep": UPKEEP, "persistence": {"spool": True}}
    mirror = {"imageRegistry": "mirror.io"}
    both = rendered(crime=own, titanic=own, **{"global": {**mirror, "other": {"chart": 1}}})
    names = [(d["kind"], d["metadata"]["name"]) for d in both]
    assert len(names) == len(set(names))
    selectors = [
        named(both, "Service", f"test-{a}")["spec"]["selector"] for a in ("crime", "titanic")
    ]
    for _, metadata, spec in pod_specs(both):
        found = [s for s in selectors if s.items() <= metadata["labels"].items()]
        assert len(found) <= 1
        assert all(c["image"].startswith("mirror.io/") for c in containers(spec))
    one = rendered(crime=own, titanic={"enabled": False})
    assert {d["metadata"]["name"].startswith("test-crime") for d in one} == {True}


def test_azures_prometheus_has_an_api_of_its_own_and_its_way_in():
    """Its pods are in kube-system, and not called as the operator's are."""
    ingress = {"ingressFrom": [{"podSelector": {}}]}
    monitor = {"enabled": True, "apiVersion": "azmonitoring.coreos.com/v1"}
    documents = some(serviceMonitor=monitor, networkPolicy=ingress)
    assert only(documents, "ServiceMonitor")["apiVersion"] == monitor["apiVersion"]
    (rule,) = named(documents, "NetworkPolicy", "test-batcomputer")["spec"]["ingress"]
    system = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    assert {"namespaceSelector": system} in rule["from"]
