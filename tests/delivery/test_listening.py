"""The addresses a server listens on."""

import socket
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests import bundles
from tests.servers import batcomputer

pytestmark = pytest.mark.slow


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_takes_both_families(tmp_path):
    """In a cluster with IPv6 alone a pod is reached by no other."""
    models = tmp_path / "models"
    bundles.install(models)
    with batcomputer(tmp_path, models, HOST="::") as server:
        for address in ("::1", "127.0.0.1"):
            with closing(HTTPConnection(address, server.port, timeout=10)) as connection:
                connection.request("GET", "/healthz")
                assert connection.getresponse().status == 200
