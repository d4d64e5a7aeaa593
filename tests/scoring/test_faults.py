"""Each process may end at any moment: callers wait, other models go on, nothing is left."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier

from predictor.artifacts.errors import ScoringError
from predictor.artifacts.files import read_version
from predictor.artifacts.inputs import RowEncoder
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_store import Report
from predictor.artifacts.unpickling import read_contract
from predictor.scoring.room import Room
from tests import bundles
from tests.deadlines import eventually
from tests.lengths import length
from tests.servers import ROOT

pytestmark = pytest.mark.slow

ROUNDS = length(20, 200)
SLOWEST = 2.0  # seconds, so that a stopped scorer is noticed soon


def children_of(pid):
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(entry.parent.name))
    return found


def supervisors(room):
    """One, but for moments in which another finds that it is not needed."""
    found = []
    for pid in children_of(os.getpid()):
        with suppress(OSError):
            if str(room.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def supervisor_of(room):
    """The one that stays."""
    found = []

    def is_alone():
        found[:] = supervisors(room)
        return len(found) == 1

    eventually(is_alone, seconds=60)
    return found[0]


def lives(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def is_template(pid):
    """It waits for orders; a scorer waits for callers, in an event loop."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/oom_score_adj").read_text().strip() != "500"
    return False


class Asking:
    """Asks one model again and again in a thread, and keeps every answer and how long it took."""

    def __init__(self, room, folder, estimator):
        files = read_version(folder)
        contract = read_contract(files, Policy())
        self.scorer = room.scorer(files, contract, Policy(), Report())
        row = RowEncoder(contract).encode(bundles.ITEM)
        self.rows = [(*row[:2], hour) for hour in range(24)]
        self.right = estimator.predict_proba(self.rows).tolist()
        self.answers, self.slowest = 0, 0.0
        self.failed: list[str] = []
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self):
        number = 0
        while not self.ends.is_set():
            number += 1
            began = time.monotonic()
            try:
                scores = self.scorer._ask([self.rows[number % 24]], 2)[0]
            except ScoringError as error:
                self.failed.append(str(error))
            else:
                assert scores == self.right[number % 24]
                self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(0.002)

    def moment(self):
        """Wait until it has been answered again; the longest wait since the last call."""
        answers = self.answers
        eventually(lambda: self.answers > answers + 2, seconds=120)
        slowest, self.slowest = self.slowest, 0.0
        return slowest


@pytest.fixture
def asked(tmp_path):
    room = Room()
    room.slowest = SLOWEST
    forest = RandomForestClassifier(5, random_state=0).fit(
        [[a, b, c] for a in range(3) for b in range(4) for c in range(24)], [0, 1] * 144
    )
    folders = [bundles.install(tmp_path, "one", metadata={}),
               bundles.install(tmp_path, "two", estimator=forest, metadata={})]  # fmt: skip
    asking = [Asking(room, folders[0], bundles.fitted()), Asking(room, folders[1], forest)]
    yield room, asking
    for one in asking:
        one.ends.set()
        one.thread.join()


def test_every_process_may_end_at_any_moment(asked):
    room, asking = asked
    chance = random.Random(int(os.environ.get("FAULT_SEED", "0")))
    waits, importing = [], 0
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0, 0.3))
        for one in asking:
            one.moment()
        supervisor = supervisor_of(room)
        processes = children_of(supervisor)
        what = chance.choice(["supervisor", "template", "scorer", "scorer", "scorer"])
        templates = [pid for pid in processes if is_template(pid)]
        victims = {
            "supervisor": [supervisor],
            "template": templates,
            "scorer": [pid for pid in processes if pid not in templates],
        }[what]
        how = chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
        if not victims:
            continue
        victim = chance.choice(victims)
        before = sum(len(one.failed) for one in asking)
        with suppress(ProcessLookupError):
            os.kill(victim, how)
            if how == signal.SIGSEGV:  # what was stopped before gets it when it goes on
                os.kill(victim, signal.SIGCONT)
        if how != signal.SIGSTOP:  # on a busy machine it answers on for a while
            eventually(lambda victim=victim: not lives(victim), seconds=60)
        after = sorted(one.moment() for one in asking)
        waits.append((what, how.name, round(after[0], 3), round(after[1], 3)))
        if what == "supervisor":
            importing += sum(len(one.failed) for one in asking) - before
        if what == "template":
            assert max(after) < 1 or os.getloadavg()[0] > 2
    print(*waits, sep="\n")
    assert len(waits) > ROUNDS / 2
    refused = sum(len(one.failed) for one in asking)
    print(f"{sum(one.answers for one in asking)} answers, {refused} refused")
    # a row in a scorer that was stopped is overdue; two ends of a scorer in one row's time are rare
    stopped = sum(what == "scorer" and how == "SIGSTOP" for what, how, *_ in waits)
    # a busy machine imports scikit-learn for longer than this test's rows are waited for
    refused -= importing if os.getloadavg()[0] > 2 else 0
    assert refused <= stopped + ROUNDS / 10, [one.failed for one in asking]


@pytest.mark.parametrize("what", ["supervisor", "template"])
def test_what_was_stopped_goes_on_when_it_is_needed(asked, what):
    """Stopped, and then a scorer ends: the next caller needs both."""
    room, asking = asked
    for one in asking:
        one.moment()
    supervisor = supervisor_of(room)
    processes = children_of(supervisor)
    templates = [pid for pid in processes if is_template(pid)]
    os.kill(supervisor if what == "supervisor" else templates[0], signal.SIGSTOP)
    for pid in set(processes) - set(templates):
        os.kill(pid, signal.SIGKILL)
    waits = [one.moment() for one in asking]
    print("answered again after", waits)
    assert not any(one.failed for one in asking)
    assert supervisors(room) == [supervisor]


OWNER = """
import sys, time
from pathlib import Path
from predictor.artifacts.files import read_version
from predictor.artifacts.policy import Policy
from predictor.artifacts.unpickling import read_contract
from predictor.artifacts.report_store import Report
from predictor.scoring.room import Room
import os
files = read_version(Path(sys.argv[1]))
room = Room()
scorer = room.scorer(files, read_contract(files, Policy()), Policy(), Report())
answered = scorer.score([(0, 0, 3)])[0][0] > 0
if (worker := os.fork()) == 0:  # which outlives its master for a while
    time.sleep(600)
print(answered, *room._started, worker, room.folder, flush=True)
time.sleep(600)
"""


def is_stopped(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_owner(tmp_path, how, stopped):
    """The room ends with the process that made it, although what that forked lives on."""
    folder = bundles.install(tmp_path, metadata={})
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    _, pid, worker, room = owner.stdout.readline().split()
    processes = [int(pid), *children_of(int(pid))]
    assert len(processes) == 3
    for process in processes if stopped else []:
        os.kill(process, signal.SIGSTOP)
    # a stop that takes effect after the owner's end is one that no kernel undoes
    eventually(lambda: not stopped or all(is_stopped(process) for process in processes))
    try:
        owner.send_signal(how)
        owner.wait()
        eventually(lambda: not any(Path(f"/proc/{one}/cwd").exists() for one in processes))
        eventually(lambda: stopped or not Path(room).exists())
        assert lives(int(worker))
    finally:
        os.kill(int(worker), signal.SIGKILL)
        owner.stdout.close()
