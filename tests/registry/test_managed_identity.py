"""Azure Blob storage without a key: the machine's own identity, over HTTPS."""

import base64
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from predictor.artifacts.version import load_version
from predictor.registry import RegistryError
from predictor.registry.azure import AzureRegistry
from tests import bundles
from tests.azurite import azurite
from tests.servers import free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    folder, key = tmp_path_factory.mktemp("certificate"), ec.generate_private_key(ec.SECP256R1())
    address = x509.IPAddress(ip_address("127.0.0.1"))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder


@pytest.fixture(scope="module")
def account(certificate):
    options = "--oauth", "basic", "--cert", "cert.pem", "--key", "key.pem"
    with azurite(certificate, *options, scheme="https") as running:
        yield running


class IdentityEndpoint(BaseHTTPRequestHandler):
    """The token endpoints of a machine in Azure."""

    def do_GET(self):
        assert self.headers["X-IDENTITY-HEADER"] == "secret of the machine"
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/gotham/",
            "iat": now,
            "nbf": now,
            "exp": now + 3_600,
        }
        parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        encoded = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (*parts, b"signature")]
        token = {
            "access_token": b".".join(encoded).decode(),
            "expires_on": str(now + 3_600),
            "resource": "https://storage.azure.com",
            "token_type": "Bearer",
        }
        body = json.dumps(token).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def identity(monkeypatch, certificate):
    """This machine has an identity, and trusts the account's certificate."""
    server = HTTPServer(("127.0.0.1", 0), IdentityEndpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret of the machine")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    yield
    server.shutdown()
    server.server_close()


def test_it_works(account, identity, tmp_path):
    folder = bundles.install(tmp_path / "models")
    registry = AzureRegistry.from_environment({"AZURE_STORAGE_ACCOUNT": account.url})
    registry.publish(folder)
    assert registry.versions("arkham") == ["1.0.0"]
    fetched = registry.fetch("arkham", "1.0.0", tmp_path / "here")
    assert load_version(fetched).sha256 == load_version(folder).sha256


def test_it_rejects_a_machine_without_an_identity(account, identity, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{free_port()}/token")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the attempts
    registry = AzureRegistry.from_environment({"AZURE_STORAGE_ACCOUNT": account.url})
    with pytest.raises(RegistryError, match="no identity"):
        registry.versions("arkham")
