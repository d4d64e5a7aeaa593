"""Azurite, Microsoft's emulator of Azure Blob Storage, on a free loopback port."""

import base64
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)

from tests.servers import ROOT, free_port, stop

# scripts/test installs it, in a folder named after its version
PROGRAMS = sorted(ROOT.glob(".azurite/*/node_modules/azurite/dist/src/blob/main.js"))
ACCOUNT = "gotham"
KEY = base64.b64encode(b"tests only: the key of an account that is not real").decode()


@dataclass
class Azurite:
    """A running storage account."""

    url: str
    process: subprocess.Popen

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the account, with its key."""
        return {"AZURE_STORAGE_ACCOUNT": self.url, "AZURE_STORAGE_KEY": KEY}

    @property
    def service(self) -> BlobServiceClient:
        """A client for the test."""
        return BlobServiceClient(self.url, KEY)

    def sas(self, permissions: str) -> str:
        """A SAS token for the whole account."""
        return generate_account_sas(
            ACCOUNT,
            KEY,
            ResourceTypes(service=True, container=True, object=True),
            AccountSasPermissions.from_string(permissions),
            datetime.now(UTC) + timedelta(hours=1),
        )

    def clear(self) -> None:
        for container in self.service.list_containers():
            self.service.delete_container(container)


@contextmanager
def azurite(folder: Path, *options: str, scheme: str = "http") -> Iterator[Azurite]:
    """An empty storage account, which ends with the block."""
    node = shutil.which("node")
    if node is None or not PROGRAMS:
        pytest.skip("Azurite is not installed: scripts/test does that where there is npm")
    port = free_port()
    command = [node, str(PROGRAMS[-1]), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", *options]
    env = {"PATH": os.environ["PATH"], "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    log = folder / "azurite.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output)
    try:
        _wait(port, process, log)
        yield Azurite(f"{scheme}://127.0.0.1:{port}/{ACCOUNT}", process)
    finally:
        stop(process)


def _wait(port: int, process: subprocess.Popen, log: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while "listens on" not in log.read_text():
        assert process.poll() is None, f"Azurite ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"Azurite was not ready:\n{log.read_text()}"
        time.sleep(0.05)


class BreakingProxy:
    """A proxy to a storage account that breaks off the first connections.

    It closes ``breaks`` connections after ``after`` bytes of responses.
    """

    def __init__(self, account: Azurite, breaks: int, after: int) -> None:
        self._target = urlsplit(account.url)
        self._breaks, self._after = breaks, after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.broken = 0
        self.url = account.url.replace(
            self._target.netloc, f"127.0.0.1:{self._listener.getsockname()[1]}"
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self._listener.accept()
                upstream = socket.create_connection((self._target.hostname, self._target.port))
                for source, sink in ((client, upstream), (upstream, client)):
                    args = source, sink, source is upstream
                    threading.Thread(target=self._pass_on, args=args, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        with suppress(OSError):  # either side may have closed
            while data := source.recv(65_536):
                sink.sendall(data)
                passed += len(data)
                if answers and passed > self._after and self.broken < self._breaks:
                    self.broken += 1
                    break
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
