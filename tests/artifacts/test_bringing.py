"""An estimator and the data it was fitted on make a version that answers as the estimator does."""

import gzip
import io
import json
import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from batcomputer import __main__ as command
from batcomputer import save_model
from predictor.artifacts.bringing.training_file import read_training_data
from predictor.artifacts.errors import ArtifactError
from tests.artifacts.asking import ask_csv, ask_one
from tests.artifacts.own_package import Calendar
from tests.artifacts.test_plain_zoo import NAMES, made

pytestmark = pytest.mark.slow

N = 120
rng = np.random.default_rng(5)
DATA = pd.DataFrame({
    "day": pd.date_range("2024-01-01", periods=N), "a": rng.normal(10, 3, N).round(3),
    "b": rng.integers(1, 9, N), "zip": rng.choice(["01234", "00999", "99501"], N),
    "garage": rng.choice(["NA", "None", "brick"], N), "member": rng.random(N) < 0.4,
    "grade": pd.Series(rng.choice(["x", "y"], N)).where(np.arange(N) % 5 > 0),
    "price": rng.normal(100, 10, N).round(2),
})  # fmt: skip
HOUSES = make_pipeline(
    make_column_transformer(
        (OneHotEncoder(), ["zip", "garage"]),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["grade"]),
        remainder="passthrough",
    ),
    Ridge(),
).fit(DATA.drop(columns=["price", "day"]), DATA.price)
LINE = LinearRegression().fit(DATA[["a", "b"]].to_numpy(), DATA.price)


def table_of(model):
    """The model's own input as a CSV holds it."""
    inputs = model.inputs
    if isinstance(inputs, list):
        return pd.DataFrame(inputs if isinstance(inputs[0], dict) else {"letter": inputs})
    if isinstance(inputs, pd.DataFrame):
        return inputs
    return pd.DataFrame(inputs, columns=[f"x{place}" for place in range(inputs.shape[1])])


def bring(folder, estimator, table, *options, **written):
    """The command, with a pickle and a CSV."""
    pickled = estimator if isinstance(estimator, bytes) else pickle.dumps(estimator)
    (folder / "model.pkl").write_bytes(pickled)
    text = table if isinstance(table, str) else table.to_csv(index=False, **written)
    (folder / "train.csv").write_text(text, encoding="utf-8")
    call_command("bring_model", str(folder / "model.pkl"), "--data", str(folder / "train.csv"),
                 "--name", "m", *options)  # fmt: skip


def said(folder, part):
    if part == "metadata":
        return json.loads((folder / "metadata.json").read_text())
    return pickle.loads((folder / f"{part}.pkl").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_brings_it(tmp_path, monkeypatch, capsys, name):
    model = made(name)
    monkeypatch.setenv("MODEL_ALLOW_MODULES", ",".join(model.modules))
    save_model(model.estimator, tmp_path / "m" / "1", data=model.inputs, metadata=model.metadata)
    count = len(model.answers())
    assert f"{count} of {count} rows get the estimator's own answer" in capsys.readouterr().out


def test_a_notebook_says_where_a_server_listens(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PORT", "8123")
    save_model(LINE, tmp_path / "line" / "1", data=DATA[["a", "b"]])
    question = capsys.readouterr().out.splitlines()[-1]
    assert question.startswith("curl -X POST localhost:8123/api/models/line/predict ")


@pytest.mark.parametrize("name", NAMES)
def test_the_command_brings_it_with_a_csv(models_dir, tmp_path, settings, capsys, name):
    model = made(name)
    settings.MODEL_ALLOW_MODULES = model.modules
    table = table_of(model).replace("", "nothing").assign(outcome=1.5)
    bring(tmp_path, model.estimator, table, "--target", "outcome", sep=";", decimal=",")
    count = len(table)
    assert f"{count} of {count} rows get the estimator's own answer" in capsys.readouterr().out


def test_it_drafts_what_describes_the_model(models_dir, tmp_path, client, capsys):
    bring(tmp_path, HOUSES, DATA, "--target", "price")
    folder = models_dir / "m" / "1.0.0"
    assert said(folder, "lookup") == {
        "a": 0, "b": 0, "zip": ["00999", "01234", "99501"], "garage": ["NA", "None", "brick"],
        "member": False, "grade": ["x", "y"],
    }  # fmt: skip
    assert said(folder, "flags") == ["price"]
    metadata = said(folder, "metadata")
    assert metadata["features"]["b"] == {
        "type": "integer", "minimum": 0, "maximum": 15, "default": 5,
    }  # fmt: skip
    assert metadata["features"]["grade"] == {"missing": True, "default": metadata["examples"][
        "typical"]["grade"]}  # fmt: skip
    assert set(metadata["examples"]) == {"typical", "low", "high"}
    assert sum(metadata["baseline"]["garage"].values()) == pytest.approx(1, abs=1e-5)
    assert set(metadata["baseline"]["grade"]) == {"x", "y", "unknown"}
    printed = capsys.readouterr().out
    assert "not used by the model: day, price" in printed
    assert "grade: may be missing, as metadata.json says" in printed
    assert "50 of 50 rows get the estimator's own answer" in printed
    assert "the command activate_model m 1.0.0" in printed
    items = [
        {**row, "grade": row["grade"] if isinstance(row["grade"], str) else None}
        for row in DATA.drop(columns=["price", "day"])[:20].to_dict("records")
    ]
    own = HOUSES.predict(DATA[:20])
    for answers in (ask_one(client, "m", items), ask_csv(client, "m", items)):
        np.testing.assert_allclose([a["price"] for a in answers], own, rtol=1e-12)


def test_no_row_of_the_data_is_repeated(tmp_path):
    people = pd.DataFrame({"who": [f"person {n}" for n in range(N)], "a": DATA.a, "b": DATA.b})
    model = make_pipeline(make_column_transformer(("passthrough", ["a", "b"])), Ridge())
    folder = save_model(model.fit(people, DATA.price), tmp_path / "m" / "1", data=people)
    assert said(folder, "lookup")["who"] == ""
    assert "person" not in (folder / "metadata.json").read_text()


def test_the_next_version_follows_the_newest(models_dir, tmp_path):
    for _ in range(2):
        bring(tmp_path, LINE, DATA, "--features", "a", "b")
    assert sorted(path.name for path in (models_dir / "m").iterdir()) == ["1.0.0", "1.1.0"]
    with pytest.raises(CommandError, match="exists already: versions are final"):
        bring(tmp_path, LINE, DATA, "--features", "a", "b", "--name", "m/1.1.0")


@pytest.mark.parametrize("dates", [True, False])
def test_it_takes_a_step_of_ones_own(models_dir, tmp_path, settings, client, capsys, dates):
    model = make_pipeline(Calendar(), Ridge()).fit(DATA[["day", "a", "b"]], DATA.price)
    settings.MODEL_ALLOW_MODULES = ["tests.artifacts.own_package"]
    if dates:
        bring(tmp_path, model, DATA, "--features", "day", "a", "b")
        assert said(models_dir / "m" / "1.0.0", "metadata")["features"]["day"]["type"] == "date"
        assert "the estimator gets a data frame" in capsys.readouterr().out
        answer = ask_one(client, "m", {"day": "2024-03-01", "a": 3, "b": 2})
        asked = pd.DataFrame({"day": [pd.Timestamp("2024-03-01")], "a": [3.0], "b": [2]})
        assert answer["value"] == pytest.approx(model.predict(asked)[0])
    else:
        with pytest.raises(CommandError, match="does not say which of the columns it takes"):
            bring(tmp_path, model, DATA)


@pytest.mark.parametrize(
    ("estimator", "flags", "method"),
    [
        (LogisticRegression().fit(DATA[["a", "b"]], DATA.zip), ["00999", "01234", "99501"], None),
        (LogisticRegression().fit(DATA[["a", "b"]], DATA.member), ["False", "True"], None),
        (MultiOutputClassifier(LogisticRegression()).fit(DATA[["a", "b"]], DATA[["zip", "garage"]]),
         ["output 1: 00999", "output 1: 01234", "output 1: 99501", "output 2: NA",
          "output 2: None", "output 2: brick"], None),
        (LinearRegression().fit(DATA[["a", "b"]], DATA[["price", "a"]]), ["value 1", "value 2"],
         None),
        (IsolationForest(n_estimators=5).fit(DATA[["a", "b"]]), ["score"], "score_samples"),
        (PCA(2).fit(DATA[["a", "b"]]), ["pca0", "pca1"], "transform"),
    ],
)  # fmt: skip
def test_it_names_the_outputs(tmp_path, estimator, flags, method):
    folder = save_model(estimator, tmp_path / "m" / "1", data=DATA)
    assert said(folder, "flags") == flags
    assert said(folder, "metadata").get("outputs_from") == method


def test_what_the_owner_says_wins(tmp_path):
    folder = save_model(
        LINE, tmp_path / "m" / "1", data=DATA[["a", "b"]], flags=["cost"],
        lookup={"a": 0, "b": {f"size {n}": n for n in range(1, 9)}},
        metadata={"title": "Houses", "features": {"a": {"unit": "m", "maximum": 99}}},
    )  # fmt: skip
    metadata = said(folder, "metadata")
    assert (said(folder, "flags"), metadata["title"]) == (["cost"], "Houses")
    assert metadata["features"]["a"]["maximum"] == 99
    assert metadata["features"]["b"]["default"].startswith("size ")
    assert set(metadata["baseline"]["b"]) == {f"size {n}" for n in set(DATA.b)}


def packed(estimator, **options):
    file = io.BytesIO()
    joblib.dump(estimator, file, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("estimator", "table", "options", "sentence"),
    [
        (LINE, DATA[["a", "b", "price"]], [], "fitted on 2 columns, the data has 3"),
        (LINE, DATA, ["--target", "prize"], "the data has no column 'prize'; it has 'day'"),
        (HOUSES, DATA[["a", "b"]], [], "fitted on the column 'zip', which the data does not have"),
        (LINE, "a,b\n", [], "the data has no rows"),
        (LINE, "", [], "train.csv is no CSV with a header: No columns"),
        (LINE, "a,b\n1,many\n", [], "does not answer this data: ValueError"),
        (LinearRegression(), DATA[["a", "b"]], ["--target", "b"], "is not fitted yet"),
        (pickle.dumps({"model": LINE}), DATA, [], 'pickle.dump\\(d\\["model"\\]'),
        (packed(LINE, compress=3), DATA, [], "save a plain pickle"),
        (pickle.dumps(Calendar()), DATA, [], "MODEL_ALLOW_MODULES=tests.artifacts.own_package"),
    ],
)
def test_it_rejects_with_the_next_step(models_dir, tmp_path, estimator, table, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        bring(tmp_path, estimator, table, *options)
    assert not models_dir.exists() or not list(models_dir.glob("[!.]*"))


def test_it_rejects_a_version_that_would_answer_otherwise(tmp_path):
    small = DATA.assign(b=(DATA.b * 15).astype("int8"))[["a", "b"]]  # 8 bits: squares run over
    square = make_column_transformer((FunctionTransformer(np.square), ["b"]))
    model = make_pipeline(square, Ridge()).fit(small, DATA.price)
    with pytest.raises(ArtifactError, match=r"does not answer as the estimator does.*float64"):
        save_model(model, tmp_path / "m" / "1", data=small)
    assert not (tmp_path / "m").exists()


def test_the_installed_command_brings_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELS_DIR", raising=False)
    (tmp_path / "line.pkl").write_bytes(pickle.dumps(LINE))
    DATA[["a", "b"]].to_csv("train.csv.gz", index=False)
    command.main(["bring", "line.pkl", "--data", "train.csv.gz"])
    printed = capsys.readouterr().out
    assert "models/line/1.0.0 is ready" in printed
    assert "curl -X POST localhost:8000/api/models/line/predict" in printed
    with pytest.raises(SystemExit, match=r"error: other\.pkl is missing"):
        command.main(["bring", "other.pkl", "--data", "train.csv.gz"])
    monkeypatch.setenv("MODELS_DIR", "elsewhere")
    monkeypatch.setenv("PORT", "8123")
    command.main(["bring", "line.pkl", "--data", "train.csv.gz"])
    assert "elsewhere/line/1.0.0 is ready" in capsys.readouterr().out


def a_choice_of(labels):
    """A pipeline over a number and a choice, and its data."""
    table = pd.DataFrame({"size": rng.normal(0, 1, N), "kind": pd.Series(rng.permutation(labels))})
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough"
    )
    return make_pipeline(steps, LogisticRegression()).fit(table, rng.random(N) < 0.5), table


@pytest.mark.parametrize("label", ["", "  ", "two\nlines", "x" * 501])
@pytest.mark.parametrize("count", [2, 80])
def test_a_label_that_no_request_can_name_leaves_the_others(tmp_path, capsys, label, count):
    """Blank cells of a CSV are such a label, often the commonest."""
    estimator, table = a_choice_of([label] * count + ["a", "b"] * ((N - count) // 2))
    folder = save_model(estimator, tmp_path / "m" / "1", data=table)
    printed = capsys.readouterr().out
    assert said(folder, "metadata")["features"]["kind"]["default"] in ("a", "b")
    assert "rows get the estimator's own answer" in printed
    if count > 2:
        assert "rows are left out: no request can have the label of kind, " in printed


def test_a_category_that_is_no_label_is_named(tmp_path):
    estimator, table = a_choice_of(["a", "b"] * (N // 2))
    table = table.assign(kind=pd.cut(table["size"], 3))
    with pytest.raises(ArtifactError, match="column 'kind' of the data holds a Interval"):
        save_model(estimator.fit(table, table["size"] > 0), tmp_path / "m" / "1", data=table)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.parquet", b"PAR1junk", "t.parquet is no parquet: "),
        ("t.feather", b"", "t.feather is no feather: "),
        ("t.csv.gz", gzip.compress(b"a,b\n" + rng.bytes(99999).hex().encode())[:-99], "is no CSV"),
        ("t.csv.gz", b"a,b\n1,2\n", "cannot be read: Not a gzipped file"),
        ("t.parquet", None, "cannot be read: No such file"),
    ],
)
def test_a_damaged_file_of_data_is_named(tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=sentence):
        list(read_training_data(LINE, tmp_path / name))


def test_a_package_that_is_not_there_is_named(tmp_path, monkeypatch):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    for engine in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(ArtifactError, match=r"t.parquet needs a package: pip install pyarrow"):
        list(read_training_data(LINE, tmp_path / "t.parquet"))


@pytest.mark.parametrize("name", ["../m", "admin", "m/1/2", "/m/1", "m/../../n", "m/1+2", "bät"])
def test_a_name_that_cannot_be_served_is_no_version(models_dir, tmp_path, name):
    """``m/1/2`` made a folder that no server finds."""
    with pytest.raises(CommandError, match="cannot name a "):
        bring(tmp_path, LINE, DATA[["a", "b"]], "--name", name)
    assert not models_dir.exists()
