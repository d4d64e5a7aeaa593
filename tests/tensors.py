"""Items as a program of the Open Inference Protocol sends them."""

from typing import Any


def tensors(*items: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each feature; texts are BYTES, all else numbers."""
    return [
        {
            "name": name,
            "shape": [len(items)],
            "datatype": "BYTES" if isinstance(value, str) else "FP64",
            "data": [item[name] for item in items],
        }
        for name, value in items[0].items()
    ]
