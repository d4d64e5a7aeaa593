"""An Ed25519 signature that vouches for a version's name, version, serial and hashes.

The server has only the public key. ``metadata.json.sig`` holds the signed manifest, so the server
notices a renamed folder, a changed file or an older version put back.
"""

import base64
import binascii
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .durable import replace_file
from .errors import ArtifactError
from .files import SIGNATURE, VersionFiles, read_file
from .untrusted import read_json

_CONTEXT = b"batcomputer model version 1\n"  # valid for no other purpose
_MAX_BYTES = 2**20


@dataclass(frozen=True)
class Manifest:
    """The signed content. ``serial`` grows with each signature of a model: seconds since 1970."""

    name: str
    version: str
    serial: int
    files: dict[str, str]  # file name → SHA-256

    def to_sign(self) -> bytes:
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return _CONTEXT + text.encode()


def new_key() -> tuple[bytes, str]:
    """A private key (PEM, unencrypted) and its public key (base64 of 32 bytes)."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, public_key(pem)


def public_key(private_pem: bytes) -> str:
    """The public key (base64 of 32 bytes) that belongs to a private one."""
    return base64.b64encode(_private(private_pem).public_key().public_bytes_raw()).decode()


def sign(files: VersionFiles, private_pem: bytes, serial: int | None = None) -> Manifest:
    """Write ``metadata.json.sig`` beside the files. Raises ArtifactError for an unusable key."""
    manifest = Manifest(
        files.folder.parent.name,
        files.folder.name,
        int(time.time()) if serial is None else serial,
        files.sha256,
    )
    signature = _private(private_pem).sign(manifest.to_sign())
    signed = {"manifest": asdict(manifest), "signature": base64.b64encode(signature).decode()}
    replace_file(files.folder / SIGNATURE, json.dumps(signed, indent=2).encode())
    return manifest


def check_signature(files: VersionFiles, key: str) -> Manifest:
    """The manifest of a version that the owner of ``key`` signed.

    Raises ArtifactError when it is unsigned, signed by another key, or not what was signed.
    """
    signed = _read(files.folder / SIGNATURE)
    try:
        manifest = Manifest(**signed["manifest"])
        signature = base64.b64decode(signed["signature"], validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise ArtifactError(f"{SIGNATURE} is not a signature of sign_model") from error
    if not _is_plain(manifest):
        raise ArtifactError(f"{SIGNATURE} is not a signature of sign_model")
    try:
        _public(key).verify(signature, manifest.to_sign())
    except InvalidSignature:
        raise ArtifactError(
            f"{SIGNATURE} was not made with the private key that belongs to MODEL_PUBLIC_KEY"
        ) from None
    _compare(manifest, files)
    return manifest


def _is_plain(manifest: Manifest) -> bool:
    """Whether the values of an untrusted manifest have the right types."""
    listed = manifest.files.items() if isinstance(manifest.files, dict) else [(None, None)]
    texts = [manifest.name, manifest.version, *(text for entry in listed for text in entry)]
    return type(manifest.serial) is int and all(type(text) is str for text in texts)


def _compare(manifest: Manifest, files: VersionFiles) -> None:
    here = (files.folder.parent.name, files.folder.name)
    if (manifest.name, manifest.version) != here:
        raise ArtifactError(
            f"the signature is for {manifest.name} {manifest.version}, not for {' '.join(here)}"
        )
    if manifest.files != files.sha256:
        names = sorted(manifest.files.keys() | files.sha256.keys())
        changed = [n for n in names if manifest.files.get(n) != files.sha256.get(n)]
        raise ArtifactError(f"{', '.join(changed)} changed after the version was signed")


def _read(path: Path) -> dict[str, Any]:
    if not os.path.lexists(path):
        raise ArtifactError(
            f"it is not signed, and MODEL_PUBLIC_KEY requires that: there is no {SIGNATURE}"
        )
    return read_json(SIGNATURE, read_file(path, _MAX_BYTES))


def _private(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ArtifactError(f"the private key cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ArtifactError("the private key is not an Ed25519 key")
    return key


def _public(text: str) -> Ed25519PublicKey:
    try:
        if text.lstrip().startswith("-----BEGIN"):
            key = serialization.load_pem_public_key(text.encode())
        else:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        raise ArtifactError(f"MODEL_PUBLIC_KEY cannot be read: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ArtifactError("MODEL_PUBLIC_KEY is not an Ed25519 key")
    return key
