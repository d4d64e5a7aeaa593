"""MLflow: versions are logged and registered, the alias follows, and models come back."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from predictor.artifacts.version import load_version
from predictor.registry import tracking
from predictor.serving.activation import activate
from tests import bundles
from tests.training.test_gate import rules, train  # noqa: F401 - a fixture
from training.tracking import track

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("sqlalchemy")
# MLflow and its dependencies warn of each other
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A store in a file; no server, no network."""
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(address)
    yield
    mlflow.set_tracking_uri(None)


def asked_of(folder):
    model = load_version(folder)
    rows = [model.encoder.encode(item) for item in CASES]
    return np.array(model.score(rows))


CASES = [
    {"city": city, "villain": villain, "hour": hour}
    for city in bundles.CITIES
    for villain in bundles.LOOKUP["villain"]
    for hour in (3, 20)
]


def test_a_version_goes_there_and_comes_back_to_the_last_bit(
    models_dir, rules, settings, monkeypatch  # noqa: F811 - the fixture
):  # fmt: skip
    announced = []
    monkeypatch.setattr(
        "predictor.serving.activation.announce", lambda *what: announced.append(what)
    )
    folder = train(models_dir, rules, "1.0.0")
    train(models_dir, rules, "1.1.0")
    client = mlflow.MlflowClient()
    first, second = sorted(client.search_model_versions("name = 'arkham'"), key=lambda v: v.version)
    assert client.get_model_version_by_alias("arkham", "candidate").version == second.version
    run = client.get_run(first.run_id)
    assert run.data.metrics["verdict.better than constant"] > 0.05
    assert [name for name in run.data.metrics if name.startswith("slice.city.Gotham")]
    assert run.data.tags["sha256"] == first.tags["sha256"] == load_version(folder).sha256
    assert {item.path for item in client.list_artifacts(first.run_id)} >= {
        "verdict.json",
        "version",
    }

    activate("arkham", "1.0.0", "Alfred")
    assert "champion of arkham is version 1 of MLflow" in tracking.set_champion(*announced[0])
    assert tracking.set_champion("arkham", "ab" * 32).endswith(
        "no version of arkham with this fingerprint"
    )

    settings.MODELS_DIR = str(models_dir.parent / "elsewhere")
    call_command("import_mlflow", "models:/arkham@champion", version="1.0.0", stdout=StringIO())
    copy = models_dir.parent / "elsewhere/arkham/1.0.0"
    for file in folder.iterdir():
        assert (copy / file.name).read_bytes() == file.read_bytes()


@pytest.fixture
def people():
    random = np.random.default_rng(3)
    table = pd.DataFrame({
        "town": random.choice(["Leeds", "York", "Łódź"], 300), "age": random.integers(0, 90, 300),
        "income": random.normal(30, 9, 300),
    })  # fmt: skip
    return table, np.where(table["income"] + table["age"] / 9 > 34, "pays", "owes")


def registered(estimator, table, how="cloudpickle"):
    mlflow.set_experiment("debts")
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            estimator, name="model", registered_model_name="debts",
            signature=mlflow.models.infer_signature(table), serialization_format=how,
            pip_requirements=["scikit-learn"],
        )  # fmt: skip
    newest = max(
        int(v.version) for v in mlflow.MlflowClient().search_model_versions("name='debts'")
    )
    mlflow.MlflowClient().set_registered_model_alias("debts", "champion", str(newest))


def fitted(table, classes, *first):
    encoded = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    pipeline = make_pipeline(*first, encoded, LogisticRegression(max_iter=2000))
    return pipeline.fit(table, classes)


@pytest.mark.parametrize("how", ["cloudpickle", "pickle"])
def test_a_registered_model_becomes_a_version(models_dir, people, how, client):
    table, classes = people
    estimator = fitted(table, classes)
    registered(estimator, table, how)
    said = StringIO()
    call_command(
        "import_mlflow",
        "models:/debts@champion",
        version="2.0.0",
        bounds=["age=0..120"],
        stdout=said,
    )
    assert "debts 2.0.0 is checked" in said.getvalue()
    model = load_version(models_dir / "debts/2.0.0")
    assert model.contract.flag_names == ["owes", "pays"]
    items = table.head(20).to_dict("records")
    scores = model.score([model.encoder.encode(item) for item in items])
    assert np.array_equal(scores, estimator.predict_proba(table.head(20)))
    for wrong, sentence in ({"town": "Yrok"}, "did you mean"), ({"age": 130}, "from 0 to 120"):
        answer = client.post(
            "/api/models/debts/predict", items[0] | wrong, content_type="application/json"
        )
        assert answer.status_code == 400
        assert sentence in answer.content.decode()


def test_what_cannot_be_read_says_the_next_step(models_dir, people, monkeypatch):
    table, classes = people

    def refusal():
        with pytest.raises(CommandError) as error:
            call_command("import_mlflow", "models:/debts@champion", stdout=StringIO())
        return str(error.value)

    registered(fitted(table, classes, FunctionTransformer(lambda rows: rows)), table)
    assert "replace them by scikit-learn's own steps" in refusal()
    registered(fitted(table, classes), table)
    with monkeypatch.context() as patch:
        patch.setattr(tracking, "READABLE", ())  # as if this were skops, which is not installed
        assert "log it again with serialization_format='cloudpickle'" in refusal()
    with mlflow.start_run():
        mlflow.sklearn.log_model(fitted(table, classes), name="model", registered_model_name="bare",
                                 serialization_format="cloudpickle",
                                 pip_requirements=["scikit-learn"])  # fmt: skip
    with pytest.raises(CommandError, match="no signature that names its columns"):
        call_command("import_mlflow", "models:/bare/1", stdout=StringIO())
    with pytest.raises(CommandError, match="MLflow does not give models:/none@champion"):
        call_command("import_mlflow", "models:/none@champion", stdout=StringIO())
    for option, text in ("labels", "town"), ("bounds", "age=1"):
        with pytest.raises(CommandError, match=f"--{option} must be like"):
            call_command("import_mlflow", "models:/bare/1", **{option: [text]}, stdout=StringIO())
    assert not list(models_dir.glob("debts/*"))


def test_a_version_can_be_logged_later(models_dir, rules, monkeypatch):  # noqa: F811
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    folder = train(models_dir, rules, "1.0.0")
    assert "is version 1 of MLflow" in track(folder)
