"""Every estimator loads and answers in a process that can open no file, socket or process."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_version
from predictor.artifacts.inputs import RowEncoder
from predictor.artifacts.policy import Policy
from predictor.artifacts.quarantine import examine_apart
from predictor.artifacts.report_store import Report
from predictor.artifacts.unpickling import read_contract
from predictor.scoring.room import Room
from tests import bundles
from tests.artifacts import zoo
from tests.servers import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def room():
    return Room()


def remote(room, folder, policy=None, shortcut=False):
    policy = policy or Policy()
    files = read_version(folder)
    contract = read_contract(files, policy)
    scorer = room.scorer(files, contract, policy, Report(shortcut=shortcut))
    return scorer, RowEncoder(contract)


def test_it_works(tmp_path, room):
    scorer, encoder = remote(room, bundles.install(tmp_path), shortcut=True)
    row = encoder.encode(bundles.ITEM)
    own = bundles.fitted().predict_proba([row])
    assert np.array_equal(scorer.score([row]), own)
    assert scorer.confinement.startswith("seccomp")
    assert scorer.kind == "probability"


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_text_of_every_kind_is_read_confined(tmp_path, room, protocol):
    """Its codecs are there before files cannot be opened any more."""
    lookup = {**bundles.LOOKUP, "city": {np.str_(city): code for city, code in
                                         bundles.LOOKUP["city"].items()}}  # fmt: skip
    folder = tmp_path / "arkham" / "1"
    folder.mkdir(parents=True)
    names = np.array(bundles.FLAGS, ">U9" if protocol else object)
    for name, thing in {"model": bundles.fitted(), "lookup": lookup, "flags": names}.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(thing, protocol))
    assert examine_apart(read_version(folder), Policy(room=room)).reason == ""


ANIMALS = dict.fromkeys(zoo.names(), zoo.by_itself) | {
    name: lambda name: zoo.made(name, zoo.COMBINATIONS[name]) for name in zoo.COMBINATIONS
}


@pytest.mark.parametrize("name", ANIMALS)
def test_every_estimator_loads_and_answers_confined(tmp_path, room, name):
    animal = ANIMALS[name](name)
    folder = bundles.install(
        tmp_path, "zoo", "1", animal.estimator, animal.lookup, animal.flags, animal.metadata
    )
    scorer, encoder = remote(room, folder)
    rows = [encoder.encode(item) for item in animal.items]
    np.testing.assert_allclose(scorer.score(rows), animal.scores, rtol=0, atol=1e-12)
    alone = [scorer.score([row])[0] for row in rows]
    np.testing.assert_allclose(alone, animal.scores, rtol=0, atol=1e-12)


def test_a_version_may_have_several_processes(tmp_path):
    room = Room()
    scorer, encoder = remote(room, bundles.install(tmp_path), Policy(scorers=3))
    row = encoder.encode(bundles.ITEM)
    own = bundles.fitted().predict_proba([row]).tolist()
    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda _: scorer.score([row] * 2), range(60)))
    assert answers == [own * 2] * 60
    assert len({one._name for one in scorer._scorers}) == 3
    assert scorer.kind == "probability"


def test_a_version_that_cannot_be_loaded_says_why(tmp_path, room):
    folder = bundles.install(tmp_path, lookup={"one": 0}, metadata={})
    with pytest.raises(ArtifactError, match="was fitted on 3 features"):
        remote(room, folder)


def test_files_that_change_meanwhile_are_noticed(tmp_path, room):
    folder = bundles.install(tmp_path)
    files = read_version(folder)
    contract = read_contract(files, Policy())
    (folder / "lookup.pkl").write_bytes((folder / "flags.pkl").read_bytes())
    with pytest.raises(ArtifactError, match="changed while"):
        room.scorer(files, contract, Policy(), Report())


def test_a_table_larger_than_a_socket_holds_comes_back_whole(tmp_path, room):
    lookup = {f"digit{place}": {str(n): n for n in range(10)} for place in range(5)}
    estimator = DummyClassifier(strategy="prior").fit([[0] * 5, [1] * 5], [0, 1])
    folder = bundles.install(tmp_path, estimator=estimator, lookup=lookup, metadata={})
    policy = Policy(room=room)
    files = read_version(folder)
    outcome = room.run("tabulate", files, policy, examine_apart(files, policy))
    assert (outcome.status, len(outcome.answer)) == (0, 64 + 10**5 * 2 * 8)


@pytest.mark.slow
def test_a_worker_s_thread_can_start_the_supervisor():
    """The server imports the room, then gevent takes its place, and a thread loads the version."""
    script = (
        "import os, signal, gevent, gevent.monkey; from predictor.scoring.room import room;"
        "gevent.monkey.patch_all();"
        "gevent.get_hub().threadpool.apply(room()._reach).close();"
        "[os.kill(pid, signal.SIGKILL) for pid in room()._started]"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_supervisor_that_starts_as_the_service_ends_says_nothing(tmp_path):
    """The server has removed the folder by then: there is nothing to supervise."""
    command = [sys.executable, "-P", "-m", "predictor.scoring.supervisor", tmp_path / "removed"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
