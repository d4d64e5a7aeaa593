"""The usual way: FastAPI, pydantic, ``predict_proba`` per request, no log."""

import os
import pickle
from pathlib import Path

import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import create_model

folder = Path(os.environ["MODEL_FOLDER"])
model = pickle.loads((folder / "model.pkl").read_bytes())
lookup = pickle.loads((folder / "lookup.pkl").read_bytes())
flags = pickle.loads((folder / "flags.pkl").read_bytes())

Case = create_model(
    "Case",
    **{name: (str if isinstance(codes, dict) else float, ...) for name, codes in lookup.items()},
)
app = FastAPI()


def row_of(case: Case) -> list[float]:
    try:
        return [
            codes[getattr(case, name)] if isinstance(codes, dict) else getattr(case, name)
            for name, codes in lookup.items()
        ]
    except KeyError as unknown:
        raise HTTPException(422, f"unknown label {unknown}") from None


# `def`, not `async def`: the forest would block the event loop; as FastAPI advises
@app.post("/predict")
def predict(case: Case) -> dict[str, float]:
    scores = model.predict_proba(np.array([row_of(case)]))[0]
    return dict(zip(flags, scores.tolist()))


@app.post("/predict-many")
def predict_many(cases: list[Case]) -> list[dict[str, float]]:
    scores = model.predict_proba(np.array([row_of(case) for case in cases]))
    return [dict(zip(flags, row)) for row in scores.tolist()]
