"""With a public key set, only what its owner signed is served, and nothing older by itself."""

import json
import shutil

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import SIGNATURE, read_version
from predictor.artifacts.policy import Policy
from predictor.artifacts.signatures import new_key, sign
from predictor.artifacts.version import load_version, verify
from tests import bundles

pytestmark = pytest.mark.slow

PRIVATE, PUBLIC = new_key()
OTHER_PRIVATE, OTHER_PUBLIC = new_key()


@pytest.fixture
def policy(tmp_path):
    return Policy(public_key=PUBLIC, store=tmp_path / ".checked")


def signed(root, version="1.0.0", serial=None, key=PRIVATE):
    folder = bundles.install(root, version=version)
    sign(read_version(folder), key, serial)
    return folder


def test_it_works(tmp_path, policy):
    folder = signed(tmp_path, serial=7)
    assert load_version(folder, policy).report.signature == "valid, serial 7"
    assert verify(folder, policy).accepted


def test_a_key_may_be_pem(tmp_path, policy):
    from cryptography.hazmat.primitives import serialization

    private = serialization.load_pem_private_key(PRIVATE, password=None)
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert load_version(signed(tmp_path), Policy(public_key=pem.decode())).report.accepted


def test_without_a_key_no_signature_is_asked_for(tmp_path):
    folder = bundles.install(tmp_path)
    (folder / SIGNATURE).write_text("nonsense")
    assert load_version(folder).report.signature == ""


def test_it_rejects_the_unsigned(tmp_path, policy):
    folder = bundles.install(tmp_path)
    with pytest.raises(ArtifactError, match="it is not signed, and MODEL_PUBLIC_KEY requires that"):
        load_version(folder, policy)
    assert "not signed" in verify(folder, policy).reason


def test_it_rejects_another_signer(tmp_path, policy):
    with pytest.raises(ArtifactError, match="not made with the private key that belongs to"):
        load_version(signed(tmp_path, key=OTHER_PRIVATE), policy)


@pytest.mark.parametrize("name", ["model.pkl", "lookup.pkl", "flags.pkl", "metadata.json"])
def test_it_rejects_the_altered(tmp_path, policy, name):
    folder = signed(tmp_path)
    other = bundles.install(tmp_path / "other", estimator=bundles.fitted(seed=5),
                            lookup={**bundles.LOOKUP, "hour": 1}, flags=["a", "b"],
                            metadata={"title": "x"})  # fmt: skip
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["title"] = "Altered"
    if name != "metadata.json":  # an attacker would adjust the hashes too
        shutil.copy(other / name, folder / name)
        metadata["files"][name] = json.loads((other / "metadata.json").read_text())["files"][name]
    (folder / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ArtifactError, match=f"{name}.* changed after the version was signed"):
        load_version(folder, policy)


def test_it_rejects_a_missing_description(tmp_path, policy):
    folder = signed(tmp_path)
    (folder / "metadata.json").unlink()
    with pytest.raises(ArtifactError, match=r"metadata\.json changed after"):
        load_version(folder, policy)


def test_it_rejects_a_swapped_folder(tmp_path, policy):
    folder = signed(tmp_path)
    with pytest.raises(ArtifactError, match=r"for arkham 1\.0\.0, not for arkham 2\.0\.0"):
        load_version(folder.rename(folder.with_name("2.0.0")), policy)
    other = tmp_path / "blackgate" / "2.0.0"
    other.parent.mkdir()
    with pytest.raises(ArtifactError, match=r"for arkham 1\.0\.0, not for blackgate 2\.0\.0"):
        load_version(folder.with_name("2.0.0").rename(other), policy)


def test_it_rejects_a_rolled_back_version_unless_a_person_chose_it(tmp_path, policy):
    old, new = signed(tmp_path, "1.0.0", serial=10), signed(tmp_path, "1.1.0", serial=11)
    load_version(old, policy)
    load_version(new, policy)
    load_version(new, policy)
    with pytest.raises(ArtifactError, match="signed before a version that has been served here"):
        load_version(old, policy)
    assert load_version(old, policy, chosen=True).version == "1.0.0"
    with pytest.raises(ArtifactError, match="activate it by name"):
        load_version(old, policy)  # that choice was for once


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"manifest": {}, "signature": ""}', "\x00" * 100, "[" * 100_000,
     '{"manifest": {"name": 1, "version": 2, "serial": "x", "files": []}, "signature": "AA=="}',
     '{"manifest": {"name": "a", "version": "b", "serial": 1, "files": {}}, "signature": "é"}',
     '{"manifest": {"name": "a", "version": "b", "serial": 1, "files": {"x": 1}}, "signature": ""}',
     '{"manifest": {"name": "a", "version": "b", "serial": 1, "files": ' + '{"a":' * 800 + "1"
     + "}" * 801 + ', "signature": "AA=="}', "x" * 2**21],
    ids=range(12),
)  # fmt: skip
def test_it_rejects_a_broken_signature(tmp_path, policy, content):
    folder = signed(tmp_path)
    (folder / SIGNATURE).write_text(content)
    with pytest.raises(ArtifactError, match=r"metadata\.json\.sig"):
        load_version(folder, policy)


@pytest.mark.parametrize("key", ["nonsense", "AAAA", "-----BEGIN PUBLIC KEY-----\nx"])
def test_it_rejects_a_broken_key(tmp_path, key):
    with pytest.raises(ArtifactError, match="MODEL_PUBLIC_KEY cannot be read"):
        load_version(signed(tmp_path), Policy(public_key=key))
