"""``manage.py sign_model PATH --key FILE``: vouch for a version with a private key."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from predictor.artifacts.files import read_version
from predictor.artifacts.signatures import new_key, public_key, sign
from predictor.management.server_command import ServerCommand
from predictor.serving.loading import model_policy


class Command(ServerCommand):
    """Runs on the machine that publishes models; the server never has the private key."""

    help = "Sign a model version with an Ed25519 private key, or make such a key (--new-key)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, nargs="*", help="folder of a version")
        parser.add_argument("--key", type=Path, required=True, help="file of the private key (PEM)")
        parser.add_argument("--new-key", action="store_true", help="make the key first")

    def handle(self, *args: Any, **options: Any) -> None:
        key: Path = options["key"]
        private = self._make(key) if options["new_key"] else key.read_bytes()
        self.stdout.write(f"MODEL_PUBLIC_KEY={public_key(private)}")
        for path in options["path"]:
            manifest = sign(read_version(path.absolute(), model_policy().limits), private)
            self.stdout.write(
                f"signed {manifest.name} {manifest.version}, serial {manifest.serial}"
            )

    def _make(self, path: Path) -> bytes:
        private, _ = new_key()
        # private from the first byte; never overwrites an existing key
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        return private
