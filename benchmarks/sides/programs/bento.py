"""BentoML: a service of two workers, written after its own tutorial; no log."""

import os
import pickle
from pathlib import Path

import bentoml
import numpy as np

folder = Path(os.environ["MODEL_FOLDER"])


@bentoml.service(workers=2)
class Forest:
    """The forest."""

    def __init__(self) -> None:
        self.model = pickle.loads((folder / "model.pkl").read_bytes())

    @bentoml.api
    def predict(self, rows: list[list[float]]) -> list[list[float]]:
        """Scores of ``rows``."""
        return self.model.predict_proba(np.array(rows)).tolist()
