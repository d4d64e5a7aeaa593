"""LitServe: two workers on the processor, written after its own tutorial; no log."""

import os
import pickle
import sys
from pathlib import Path

import litserve as ls
import numpy as np


class Forest(ls.LitAPI):
    """The forest."""

    def setup(self, device: str) -> None:
        """Load the model, once in each worker."""
        self.model = pickle.loads(Path(os.environ["MODEL_FOLDER"], "model.pkl").read_bytes())

    def decode_request(self, request: dict[str, list[list[float]]]) -> np.ndarray:
        return np.array(request["input"])

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(x)

    def encode_response(self, output: np.ndarray) -> dict[str, list[list[float]]]:
        return {"output": output.tolist()}


if __name__ == "__main__":
    server = ls.LitServer(Forest(), accelerator="cpu", workers_per_device=2)
    server.run(host="127.0.0.1", port=int(sys.argv[1]))
