"""Items as tensors of the Open Inference Protocol."""

from typing import Any


def tensors(*items: dict[str, Any]) -> list[dict[str, Any]]:
    """A tensor for each feature; texts are BYTES, everything else numbers."""
    return [
        {
            "name": name,
            "shape": [len(items)],
            "datatype": "BYTES" if isinstance(value, str) else "FP64",
            "data": [item[name] for item in items],
        }
        for name, value in items[0].items()
    ]
