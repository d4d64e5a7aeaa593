"""How requests come into the pods: Service, Ingress, Gateway API, IPv4 and IPv6."""

import json
import shutil
import subprocess

import pytest
from helm_python import HelmError

from helm import render
from tests.delivery.charts import EXAMPLES, OF_OTHERS, VALUE_SETS, given, objects, only, some
from tests.servers import ROOT

pytestmark = pytest.mark.slow

SCHEMAS = ROOT / ".schemas"  # scripts/test installs them from npm
PACKAGES = {
    "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
    "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
    "argoproj.io": "@kubernetes-models/argo-cd",
}
ASK = """
import {readFileSync} from "node:fs";
const {[process.argv[2]]: Kind} = await import(process.argv[1]);
try { new Kind(JSON.parse(readFileSync(0))).validate(); }
catch (error) { console.log(error.message); process.exit(1); }
"""
ROUTE = {"enabled": True, "hosts": ["bat.example.org"], "parentRefs": [{"name": "public"}]}


def complaints(document):
    """The errors of an object against the schema of a custom resource; empty if it is valid."""
    node = shutil.which("node")
    group, _, version = document["apiVersion"].partition("/")
    package = f"{PACKAGES[group]}/{group}/{version}"
    if node is None or not (SCHEMAS / "node_modules" / PACKAGES[group]).is_dir():
        pytest.skip("the schemas are not installed: scripts/test does it, with npm")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", ASK, package, document["kind"]],
        input=json.dumps(document), cwd=SCHEMAS,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    assert done.returncode == bool(done.stdout)
    return done.stdout


def test_objects_of_others_fit_their_schemas():
    asked = set()
    for values in VALUE_SETS:
        for document in objects(values):
            if document["apiVersion"].partition("/")[0] in PACKAGES:
                assert complaints(document) == "", values.name
                asked.add(document["kind"])
    assert asked == OF_OTHERS


def test_the_argo_cd_application_fits_its_schema():
    (path,) = (path for path in EXAMPLES if path.stem == "argo-cd")
    assert complaints(render.yaml.safe_load(path.read_text())) == ""


def test_a_slip_would_be_noticed():
    route = only(some(gateway=ROUTE), "HTTPRoute")
    route["spec"]["rules"][0]["matches"][0]["path"]["type"] = "Prefix"
    assert "must be equal to one of the allowed values" in complaints(route)


def test_a_route_belongs_to_the_gateways_that_are_there():
    documents = some(gateway={**ROUTE, "paths": ["/api", "/swagger.json"]}, service={"port": 8080})
    assert "Gateway" not in {document["kind"] for document in documents}
    route = only(documents, "HTTPRoute")["spec"]
    assert route["parentRefs"] == [{"name": "public"}]
    assert route["hostnames"] == ["bat.example.org"]
    (rule,) = route["rules"]
    assert [match["path"]["value"] for match in rule["matches"]] == ["/api", "/swagger.json"]
    service = only(documents, "Service")
    assert rule["backendRefs"] == [{"name": service["metadata"]["name"], "port": 8080}]


def test_the_chart_makes_a_gateway_where_there_is_none():
    documents = objects(render.CHART.parent / "examples/aks.yaml")
    gateway = only(documents, "Gateway")
    assert gateway["spec"]["gatewayClassName"] == "approuting-istio"
    assert gateway["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    ports = {listener["port"]: listener for listener in gateway["spec"]["listeners"]}
    assert set(ports) == {80, 443}
    assert ports[443]["tls"]["certificateRefs"] == [{"name": "test-batcomputer-tls"}]
    parents = only(documents, "HTTPRoute")["spec"]["parentRefs"]
    assert parents == [{"name": gateway["metadata"]["name"]}]


def test_the_server_knows_the_names_people_use():
    documents = some(
        gateway=ROUTE,
        ingress={
            "enabled": True,
            "host": "old.example.org",
            "hosts": [{"host": "api.example.org"}],
        },
    )
    settings = only(documents, "ConfigMap")["data"]
    names = ["old.example.org", "api.example.org", "bat.example.org"]
    assert set(names) < set(settings["ALLOWED_HOSTS"].split(","))
    assert settings["CSRF_TRUSTED_ORIGINS"] == ",".join(f"https://{name}" for name in names)
    assert settings["HTTPS"] == "true"


@pytest.mark.parametrize(("tls", "https"), [(True, "true"), (False, "false")])
def test_https_is_what_the_way_in_speaks(tls, https):
    ingress = {"enabled": True, "host": "a.example.org"}
    for way in (
        {"gateway": {**ROUTE, "tls": {"enabled": tls}}},
        {"ingress": {**ingress, "tls": {"enabled": tls}}},
    ):
        settings = only(some(**way), "ConfigMap")["data"]
        assert settings["HTTPS"] == https
        assert ("CSRF_TRUSTED_ORIGINS" in settings) == tls
    overridden = some(gateway=ROUTE, settings={"HTTPS": False})
    assert only(overridden, "ConfigMap")["data"]["HTTPS"] == "false"


def test_an_ingress_has_several_hosts_and_paths():
    hosts = [{"host": "api.example.org", "paths": ["/api", "/healthz"]}]
    documents = some(ingress={"enabled": True, "host": "bat.example.org", "hosts": hosts})
    ingress = only(documents, "Ingress")["spec"]
    assert ingress["tls"][0]["hosts"] == ["bat.example.org", "api.example.org"]
    paths = {r["host"]: [p["path"] for p in r["http"]["paths"]] for r in ingress["rules"]}
    assert paths == {"bat.example.org": ["/"], "api.example.org": ["/api", "/healthz"]}


def test_nothing_is_only_for_one_controller():
    """ingress-nginx ended in March 2026."""
    ingress = only(some(ingress={"enabled": True, "host": "a.example.org"}), "Ingress")
    assert "annotations" not in ingress["metadata"]
    assert "ingressClassName" not in ingress["spec"]
    assert not any("nginx" in json.dumps(given(path)) for path in EXAMPLES)


def test_a_cluster_with_ipv6_reaches_the_pods():
    families = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}
    documents = some(listen="::", service=families)
    assert only(documents, "ConfigMap")["data"]["HOST"] == "::"
    assert only(documents, "Service")["spec"].items() >= families.items()
    assert "HOST" not in only(some(), "ConfigMap")["data"], "the image's own 0.0.0.0"


def test_a_service_is_a_load_balancers():
    described = {
        "type": "LoadBalancer", "annotations": {"service.beta.kubernetes.io/x": "true"},
        "externalTrafficPolicy": "Local", "loadBalancerSourceRanges": ["203.0.113.0/24"],
    }  # fmt: skip
    service = only(some(service=described), "Service")
    assert service["metadata"]["annotations"] == described.pop("annotations")
    assert service["spec"].items() >= described.items()


REFUSED = {
    "a route to nowhere": (
        {"gateway": {"enabled": True, "hosts": ["a.example.org"]}}, "gateway.parentRefs"
    ),
    "a route without a host": (
        {"gateway": {"enabled": True, "parentRefs": [{"name": "a"}]}}, "gateway.hosts"
    ),
    "no address at all": ({"listen": "fe80::1"}, "listen"),
    "a path from nowhere": ({"gateway": {**ROUTE, "paths": ["api"]}}, "paths"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "says"), REFUSED.values(), ids=REFUSED)
def test_it_rejects(values, says):
    with pytest.raises(HelmError, match=says):
        some(**values)


@pytest.mark.parametrize("written", ["/bat", "bat", "/bat/"])
def test_a_base_path_is_where_both_ways_in_lead(written):
    documents = some(
        settings={"BASE_PATH": written},
        ingress={"enabled": True, "host": "a.example", "hosts": [{"host": "b.example"}]},
        gateway=ROUTE,
    )
    rules = only(documents, "Ingress")["spec"]["rules"]
    assert [rule["http"]["paths"][0]["path"] for rule in rules] == ["/bat", "/bat"]
    (match,) = only(documents, "HTTPRoute")["spec"]["rules"][0]["matches"]
    assert match["path"] == {"type": "PathPrefix", "value": "/bat"}
