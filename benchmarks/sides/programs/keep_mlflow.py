"""Save the forest as an MLflow model that answers probabilities: ``keep_mlflow.py FROM TO``."""

import pickle
import sys
from pathlib import Path

import mlflow.sklearn

source, target = sys.argv[1:]
mlflow.sklearn.save_model(
    pickle.loads(Path(source, "model.pkl").read_bytes()),
    target,
    pyfunc_predict_fn="predict_proba",
    serialization_format="pickle",
    pip_requirements=["scikit-learn"],
)
