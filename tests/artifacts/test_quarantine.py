"""A version is tried in a separate process, and the fate of that process is the verdict."""

import math
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from predictor.artifacts import version
from predictor.artifacts.confinement import bare_environment
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.policy import Limits, Policy
from predictor.artifacts.quarantine import examine_apart, tabulate_apart
from predictor.artifacts.version import load_version, verify
from tests import bundles
from tests.artifacts.zoo import CITIES, table
from tests.servers import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_quarantine(monkeypatch, examined_here):
    """These tests want the real thing."""
    monkeypatch.setattr(version, "examine_apart", examine_apart)


def test_it_works(tmp_path):
    folder = bundles.install(tmp_path)
    policy = Policy(store=tmp_path / ".checked")
    started = time.perf_counter()
    first = load_version(folder, policy)
    waited = time.perf_counter() - started
    assert first.report.accepted
    assert first.report.estimator == "LogisticRegression"
    assert waited < 20  # 2 s on a machine at rest; docs/pickles.md has the figures
    assert (tmp_path / ".checked" / f"{first.sha256}.json").exists()


def test_the_verdict_is_kept(tmp_path, monkeypatch):
    folder = bundles.install(tmp_path)
    policy = Policy(store=tmp_path / ".checked")
    assert verify(folder, policy).accepted
    monkeypatch.setattr(version, "examine_apart", None)  # a second examination would fail
    assert load_version(folder, policy).report.accepted


def test_a_verified_version_loads_quickly(tmp_path):
    """At most four times the processor time of reading and unpickling: the arrays are locked and
    the trees are merged as well, and there is a hash and a trial score.
    """
    rows = np.random.default_rng(0).random((4000, 6))
    forest = RandomForestClassifier(100, random_state=0).fit(rows, (rows[:, 0] * 4).astype(int) % 3)
    folder = bundles.install(tmp_path, estimator=forest, lookup=dict.fromkeys("abcdef", 0),
                             flags=["x", "y", "z"], metadata={})  # fmt: skip
    policy = Policy(store=tmp_path / ".checked")
    assert verify(folder, policy).accepted

    def best(work):
        times = []
        for _ in range(7):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
        return min(times)

    plain = best(lambda: pickle.loads((folder / "model.pkl").read_bytes()))
    assert best(lambda: load_version(folder, policy)) < 4 * plain + 0.03  # 30 ms: lookup, a score


def test_a_verdict_under_other_rules_does_not_count(tmp_path, monkeypatch):
    folder = bundles.install(tmp_path)
    assert verify(folder, Policy(store=tmp_path / ".checked")).accepted
    monkeypatch.setattr(version, "examine_apart", lambda files, policy: version.Report("again"))
    stricter = Policy(store=tmp_path / ".checked", limits=Limits(steps=10))
    with pytest.raises(ArtifactError, match="again"):
        load_version(folder, stricter)


def test_it_rejects_what_hangs(tmp_path):
    """A regular expression that takes forever on a label chosen by the model."""
    words = ColumnTransformer([("w", TfidfVectorizer(token_pattern=r"[a-zü]+"), "city")])
    model = make_pipeline(words, LogisticRegression()).fit(table()[["city"]], table().hour > 2)
    model[0].named_transformers_["w"].token_pattern = r"^(?:(?:[a-z])+.)+[A-Z]$"
    label = "a" * 60
    folder = bundles.install(
        tmp_path, estimator=model,
        lookup={"city": {city: i for i, city in enumerate([*CITIES, label])}},
        metadata={"features": {"city": {"passed_as": "label"}}},
    )  # fmt: skip
    report = verify(folder, Policy(limits=Limits(seconds=4)))
    assert report.reason in (
        "the process that tried the model took more than 4 s of processor time",
        # a machine that paused it gives account late: the kernel's second limit counts then
        "the process that tried the model was killed: it took too much memory, or more than 4 s",
        "the process that tried the model did not end within 68 s",  # a very busy machine
    )


def test_it_rejects_what_takes_all_memory(tmp_path):
    rows = np.arange(40.0).reshape(20, 2)
    model = make_pipeline(PolynomialFeatures(2), Ridge()).fit(rows, rows[:, 0])
    model[0].degree = model[0]._max_degree = 60_000
    model[0].n_output_features_ = model[0]._n_out_full = math.comb(60_002, 2)
    folder = bundles.install(tmp_path, estimator=model, lookup={"a": 0, "b": 0}, flags=["c"],
                             metadata={})  # fmt: skip
    report = verify(folder, Policy(limits=Limits(memory=2**30, seconds=10)))
    assert not report.accepted
    assert "MemoryError" in report.reason or "processor time" in report.reason


def ends(monkeypatch, tmp_path, *signals):
    """The process ends by these signals in turn, then does its work; returns how often it ran."""
    log = tmp_path / "runs"
    log.write_text("")
    code = f"""if True:
        import os, runpy
        with open({str(log)!r}, "a") as log:
            log.write("x")
        run, signals = os.stat({str(log)!r}).st_size, {[int(number) for number in signals]}
        if run <= len(signals):
            os.kill(os.getpid(), signals[run - 1])
        runpy.run_module("predictor.artifacts.quarantine", run_name="__main__")
    """
    monkeypatch.setattr("predictor.artifacts.quarantine._COMMAND", [sys.executable, "-c", code])
    return lambda: log.stat().st_size


def test_it_survives_a_crash(tmp_path, monkeypatch):
    """SIGSEGV in there, and again, is a refusal here."""
    folder = bundles.install(tmp_path)
    runs = ends(monkeypatch, tmp_path, signal.SIGSEGV, signal.SIGSEGV)
    report = verify(folder, Policy())
    assert report.reason == "the process that tried the model crashed (SIGSEGV)"
    assert runs() == 2


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_that_does_not_come_again_is_no_verdict(tmp_path, monkeypatch, caplog, number):
    folder = bundles.install(tmp_path)
    runs = ends(monkeypatch, tmp_path, number)
    policy = Policy(store=tmp_path / ".checked")
    assert load_version(folder, policy).report.accepted
    assert "once more" in caplog.text
    assert runs() == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_process_that_somebody_stopped_gives_no_verdict(tmp_path, monkeypatch, number):
    """Stopping the server stops the examination with it; the model is not to blame."""
    folder = bundles.install(tmp_path)
    runs = ends(monkeypatch, tmp_path, number)
    policy = Policy(store=tmp_path / ".checked")
    with pytest.raises(ArtifactError, match=rf"could not be examined.*\({number.name}\)"):
        load_version(folder, policy)
    assert runs() == 1
    assert load_version(folder, policy).report.accepted


def test_a_table_that_somebody_stopped_is_made_again(tmp_path, monkeypatch):
    files = read_version(bundles.install(tmp_path))
    ends(monkeypatch, tmp_path, signal.SIGTERM)
    assert tabulate_apart(files, Policy()) is None
    scores = tabulate_apart(files, Policy())
    assert len(scores) == 3 * 4 * 24 * 2


def test_it_computes_as_the_server_does(tmp_path, monkeypatch):
    """The settings of numpy's kernels are passed on, and a verdict with others does not count."""
    folder = bundles.install(tmp_path)
    policy = Policy(store=tmp_path / ".checked")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    assert bare_environment(ROOT)["OPENBLAS_CORETYPE"] == "Haswell"
    assert bare_environment(ROOT)["OPENBLAS_NUM_THREADS"] == "1"
    assert verify(folder, policy).accepted
    assert version.has_report(folder, policy)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    assert version.has_report(folder, policy)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Sandybridge")
    assert not version.has_report(folder, policy)


def test_it_says_so_when_it_cannot_work(tmp_path, monkeypatch):
    folder = bundles.install(tmp_path)
    policy = Policy(store=tmp_path / ".checked")
    monkeypatch.setattr(
        "predictor.artifacts.quarantine._COMMAND", [sys.executable, "-c", "raise OSError('full')"]
    )
    report = verify(folder, policy)
    assert report.reason == "it could not be examined: OSError: full"
    monkeypatch.undo()
    monkeypatch.setattr(version, "examine_apart", examine_apart)
    assert load_version(folder, policy).report.accepted  # that was no verdict


def test_it_holds_no_secret_of_the_server(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "x" * 50)
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/d")
    given = bare_environment(ROOT)
    assert not {"SECRET_KEY", "DATABASE_URL", "HOME"} & given.keys()
    assert given["PATH"] == os.environ["PATH"]


def test_files_that_change_meanwhile_are_noticed(tmp_path):
    folder = bundles.install(tmp_path)
    files = read_version(folder)
    (folder / "metadata.json").unlink()
    assert "changed while" in examine_apart(files, Policy()).reason


def test_a_verdict_stands_after_scikit_learn_was_imported():
    """A process that answers from a table examined the version before it needed scikit-learn."""
    script = (
        "from predictor.artifacts.policy import Policy\n"
        "from predictor.artifacts.report_store import circumstances\n"
        "before = circumstances(Policy())\n"
        "import sklearn\n"
        "assert circumstances(Policy()) == before\n"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("KMP_")}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, check=True)
