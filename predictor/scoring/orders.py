"""What a worker orders: a version to serve, or one task on it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass
class Order:
    """A worker's order, with the version's open files."""

    terms: dict[str, Any]
    files: list[int]

    @property
    def name(self) -> str:
        folder = Path(self.terms["folder"])
        return f"{folder.parent.name} {folder.name}"

    @classmethod
    def opened(cls, content: bytes) -> Self:
        """A sent order, read. Raises OSError for a file, ValueError or KeyError for the rest."""
        terms = json.loads(content)
        order = cls(terms, [])
        try:
            for name in terms["files"]:
                path = os.path.join(terms["folder"], name)  # noqa: PTH118
                order.files.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
        except OSError:
            order.close()
            raise
        return order

    def close(self) -> None:
        """Close the files."""
        while self.files:
            os.close(self.files.pop())
