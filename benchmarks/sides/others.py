"""The servers that people use today."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from benchmarks.models import Item, Subject
from benchmarks.sides.side import PROGRAMS, WORKERS, Place, Side
from tests.servers import free_port


class _Uvicorn(Side):
    packages = "fastapi==0.165.0 uvicorn[standard]==0.54.0 orjson==3.13.0 scikit-learn==1.9.1"
    environment_name = "fastapi"
    application = ""

    def command(self, place: Place) -> list[str]:
        return [
            str(self.python), "-m", "uvicorn", "--app-dir", str(PROGRAMS), self.application,
            "--port", str(place.port), "--workers", WORKERS, "--no-access-log",
        ]  # fmt: skip


class UsualFastAPI(_Uvicorn):
    """FastAPI calling scikit-learn."""

    application = "usual_fastapi:app"

    @property
    def path(self) -> str:
        return "/predict" if self.rows == 1 else "/predict-many"


class TableFastAPI(_Uvicorn):
    """FastAPI with every answer computed at start."""

    application = "table_fastapi:app"


class _InNumbers(Side):
    """Sides whose requests hold the estimator's own numbers."""

    def ask(self, subject: Subject, items: list[Item]) -> bytes:
        return json.dumps(self.question(subject.rows(items))).encode()

    def question(self, rows: list[list[float]]) -> object:
        raise NotImplementedError

    def understand(self, subject: Subject, body: bytes) -> list[list[float]]:
        return self.scores(json.loads(body), len(subject.flags))

    def scores(self, answer: Any, flags: int) -> list[list[float]]:
        raise NotImplementedError


class MLServer(_InNumbers):
    """Seldon's server with its scikit-learn runtime; V2 inference protocol."""

    # its workers need an event loop that uvloop 0.22 no longer creates by default
    packages = "mlserver==1.7.1 mlserver-sklearn==1.7.1 uvloop==0.21.0 scikit-learn==1.9.1"
    environment_name = "mlserver"

    def prepare(self, place: Place) -> None:
        shutil.copy(place.subject.folder / "model.pkl", place.folder / "model.pickle")
        server = {
            "host": "127.0.0.1",
            "http_port": place.port,
            "grpc_port": free_port(),
            "metrics_port": free_port(),
            "parallel_workers": int(WORKERS),
            "debug": False,
        }
        model = {
            "name": "forest",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.pickle"},
        }
        (place.folder / "settings.json").write_text(json.dumps(server))
        (place.folder / "model-settings.json").write_text(json.dumps(model))

    def command(self, place: Place) -> list[str]:
        return [str(self.python.with_name("mlserver")), "start", str(place.folder)]

    @property
    def path(self) -> str:
        return "/v2/models/forest/infer"

    def question(self, rows: list[list[float]]) -> object:
        tensor = {"name": "rows", "datatype": "FP64", "data": rows}
        shape = [len(rows), len(rows[0])]
        return {"inputs": [tensor | {"shape": shape}], "outputs": [{"name": "predict_proba"}]}

    def scores(self, answer: Any, flags: int) -> list[list[float]]:
        data = answer["outputs"][0]["data"]
        return [data[at : at + flags] for at in range(0, len(data), flags)]


class BentoML(_InNumbers):
    """A BentoML service of two workers."""

    packages = "bentoml==1.4.39 scikit-learn==1.9.1"
    environment_name = "bentoml"

    def environment(self, place: Place) -> dict[str, str]:
        home = {"BENTOML_HOME": str(place.folder), "BENTOML_DO_NOT_TRACK": "1"}
        return super().environment(place) | home

    def command(self, place: Place) -> list[str]:
        return [
            str(self.python.with_name("bentoml")), "serve", "bento:Forest",
            "--working-dir", str(PROGRAMS), "--host", "127.0.0.1", "--port", str(place.port),
        ]  # fmt: skip

    def question(self, rows: list[list[float]]) -> object:
        return {"rows": rows}

    def scores(self, answer: Any, flags: int) -> list[list[float]]:
        return list(answer)


class MLflow(_InNumbers):
    """``mlflow models serve``."""

    packages = "mlflow==3.17.2 scikit-learn==1.9.1"
    environment_name = "mlflow"

    def prepare(self, place: Place) -> None:
        program = [str(self.python), str(PROGRAMS / "keep_mlflow.py")]
        subprocess.run(
            [*program, str(place.subject.folder), str(place.folder / "model")],
            env=self.base_environment(place), check=True, capture_output=True, text=True,
        )  # fmt: skip

    def command(self, place: Place) -> list[str]:
        return [
            str(self.python.with_name("mlflow")), "models", "serve", "--env-manager", "local",
            "-m", str(place.folder / "model"), "-h", "127.0.0.1", "-p", str(place.port),
            "-w", WORKERS,
        ]  # fmt: skip

    @property
    def path(self) -> str:
        return "/invocations"

    def question(self, rows: list[list[float]]) -> object:
        return {"inputs": rows}

    def scores(self, answer: Any, flags: int) -> list[list[float]]:
        return list(answer["predictions"])


class LitServe(_InNumbers):
    """A LitServe server of two workers."""

    packages = "litserve==0.2.19 scikit-learn==1.9.1"
    environment_name = "litserve"

    def command(self, place: Place) -> list[str]:
        return [str(self.python), str(PROGRAMS / "litserve_forest.py"), str(place.port)]

    def question(self, rows: list[list[float]]) -> object:
        return {"input": rows}

    def scores(self, answer: Any, flags: int) -> list[list[float]]:
        return list(answer["output"])
