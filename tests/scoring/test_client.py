"""A worker sends its rows to a scorer: together if allowed, again if a scorer ended."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest

from predictor.artifacts.contract import build_contract
from predictor.artifacts.errors import (
    Abstention,
    ArtifactError,
    ScorerLost,
    ScoringError,
    ScoringTimeout,
)
from predictor.scoring.client import SLICE, RemoteScorer
from predictor.scoring.protocol import (
    Channel,
    Manner,
    MessageKind,
    pack_abstention,
    pack_scores,
    unpack_rows,
)
from tests.deadlines import eventually

DESCRIPTION = {"kind": "value", "shortcut": True, "floats": True, "width": 1, "means": ["seccomp"]}
CRASH, HANG, PROBLEM, NOT_FINITE, TOO_FEW, ENDLESS, ABSTAIN = -1, -2, -3, -4, -5, -6, -7


class Scorer:
    """Answers twice the row, in a thread; certain rows end it, as they would a process."""

    def __init__(self, **described):
        self.described = DESCRIPTION | described
        self.asked = []
        self.orders = 0
        self.beats = threading.Event()
        self.beats.set()

    def order(self):
        self.orders += 1
        return "name"

    def connect(self, name):
        ours, theirs = socket.socketpair()
        threading.Thread(target=self.answer, args=[Channel(theirs)], daemon=True).start()
        return Channel(ours)

    def answer(self, channel):
        with channel.socket, suppress(EOFError, OSError):
            while True:
                kind, manner, content = channel.receive(2**20, 30)
                if kind is MessageKind.HELLO:
                    channel.send(MessageKind.DESCRIPTION, json.dumps(self.described).encode())
                    continue
                if manner is Manner.ALONE:
                    channel.send(MessageKind.BEGUN)
                self.beats.wait(5)
                rows = [row[0] for row in unpack_rows(kind, content, 1)]
                self.asked.append((manner, rows))
                self.score(channel, manner, rows)

    def score(self, channel, manner, rows):
        if CRASH in rows:
            channel.socket.shutdown(socket.SHUT_RDWR)
        elif HANG in rows:
            time.sleep(0.3)
            channel.socket.shutdown(socket.SHUT_RDWR)
        elif PROBLEM in rows and manner is not Manner.GROUP:
            channel.send(MessageKind.PROBLEM, b"no usable score")
        elif ABSTAIN in rows and manner is not Manner.GROUP:
            abstention = Abstention("too hot", ["x"], rows.index(ABSTAIN))
            channel.send(MessageKind.ABSTAINED, pack_abstention(abstention))
        elif TOO_FEW in rows:
            channel.send(MessageKind.SCORES, b"1234567")
        elif ENDLESS in rows:
            channel.socket.sendall(b"\xff\xff\xff\xff\x05\x00")
        else:
            odd = {PROBLEM: float("nan"), ABSTAIN: float("nan"), NOT_FINITE: float("inf")}
            channel.send(MessageKind.SCORES, pack_scores([[odd.get(row, 2 * row)] for row in rows]))


def client(scorer, slowest=5.0):
    contract = build_contract({"x": 0}, ["y"])
    return RemoteScorer(scorer.connect, scorer.order, contract, slowest, 5.0)


def in_threads(work, inputs):
    results = {}

    def run(one):
        try:
            results[one] = work(one)
        except ScoringError as error:
            results[one] = error

    threads = [threading.Thread(target=run, args=[one]) for one in inputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_it_works():
    remote = client(Scorer())
    assert remote.score([(3,)]) == [[6.0]]
    assert remote.score([(1,), (2,)]) == [[2.0], [4.0]]
    assert remote.kind == "value"
    assert remote.confinement == "seccomp"


def test_one_that_is_woken_is_reached_before_a_row_comes():
    scorer = Scorer()
    remote = client(scorer)
    connected = []

    def gone_until_ordered(name):
        if scorer.orders == 1:
            raise ConnectionRefusedError
        connected.append(scorer.connect(name))
        return connected[-1]

    remote._connect = gone_until_ordered
    remote.wake()
    for thread in threading.enumerate():
        if thread.name.endswith("(_call_on)"):
            thread.join(5)
    assert (scorer.orders, len(connected)) == (2, 1)
    assert remote.score([(3,)]) == [[6.0]]
    assert len(connected) == 1


def test_rows_that_wait_at_the_same_moment_travel_together():
    scorer = Scorer()
    remote = client(scorer)
    scorer.beats.clear()
    first = threading.Thread(target=remote.score, args=[[(100,)]])
    first.start()

    def beat_once_all_wait():
        eventually(lambda: len(remote._gathering.rows) == 20)
        scorer.beats.set()

    threading.Thread(target=beat_once_all_wait).start()
    answers = in_threads(lambda number: remote.score([(number,)]), range(20))
    first.join()
    assert answers == {number: [[2.0 * number]] for number in range(20)}
    assert [len(rows) for _, rows in scorer.asked][:1] == [1]
    assert len(scorer.asked) == 2
    assert {manner for manner, _ in scorer.asked} == {Manner.GROUP}


def test_foreign_arithmetic_gets_one_callers_row_at_a_time():
    scorer = Scorer(shortcut=False)
    remote = client(scorer)
    in_threads(lambda number: remote.score([(number,)]), range(9))
    assert sorted(scorer.asked) == [(Manner.ALONE, [float(number)]) for number in range(9)]


def test_an_array_goes_in_slices():
    scorer = Scorer()
    rows = [(number,) for number in range(2 * SLICE + 1)]
    assert client(scorer).score(rows) == [[2.0 * number] for (number,) in rows]
    assert [len(rows) for _, rows in scorer.asked] == [SLICE, SLICE, 1]


def test_a_row_that_comes_again_is_remembered():
    scorer = Scorer()
    remote = client(scorer)
    assert remote.score([(3,)]) == remote.score([(3,)])
    assert len(scorer.asked) == 1


@pytest.mark.parametrize("shortcut", [True, False])
def test_a_row_that_ends_the_scorer_harms_one_caller(shortcut):
    """It is asked again once; the others of its group are asked again by themselves."""
    scorer = Scorer(shortcut=shortcut)
    remote = client(scorer)
    answers = in_threads(lambda number: remote.score([(number,)]), [CRASH, *range(9)])
    assert isinstance(answers.pop(CRASH), ScorerLost)
    assert answers == {number: [[2.0 * number]] for number in range(9)}
    assert sum(CRASH in rows for _, rows in scorer.asked) == 2


def test_in_an_array_too():
    scorer = Scorer()
    with pytest.raises(ScorerLost):
        client(scorer).score([(1,), (CRASH,), (2,)])
    assert sum(CRASH in rows for _, rows in scorer.asked) == 2


def test_a_scorer_that_ended_meanwhile_is_asked_for_again():
    scorer = Scorer()
    remote = client(scorer)
    remote.score([(0,)])
    remote._free[0].socket.shutdown(socket.SHUT_RDWR)
    assert remote.score([(1,)]) == [[2.0]]
    connect, refused = scorer.connect, [FileNotFoundError, ConnectionRefusedError]

    def away(name):
        if refused:
            raise refused.pop()
        return connect(name)

    remote._connect = away
    remote._free.pop().close()
    assert remote.score([(2,), (3,)]) == [[4.0], [6.0]]
    assert scorer.orders == 3


def test_a_call_that_hangs_is_not_made_again():
    scorer = Scorer(shortcut=False)
    with pytest.raises(ScoringTimeout):
        client(scorer, slowest=0.2).score([(HANG,)])
    assert len(scorer.asked) == 1


@pytest.mark.parametrize(("row", "sentence"), [
    (PROBLEM, "no usable score"),
    (NOT_FINITE, "not a finite number"),
    (TOO_FEW, "something other than scores"),
    (ENDLESS, "ended while it answered"),
])  # fmt: skip
@pytest.mark.parametrize("shortcut", [True, False])
def test_nothing_a_scorer_says_is_taken_on_trust(row, sentence, shortcut):
    with pytest.raises(ScoringError, match=sentence):
        client(Scorer(shortcut=shortcut)).score([(row,)])


def test_a_version_that_is_refused_says_why(monkeypatch):
    scorer = Scorer()

    def refuse(self, channel):
        with channel.socket:
            channel.receive(0, 5)
            channel.send(MessageKind.REFUSED, b"it is too wide")

    monkeypatch.setattr(Scorer, "answer", refuse)
    with pytest.raises(ArtifactError, match="it is too wide"):
        client(scorer)


@pytest.mark.parametrize(
    "odd", [{"kind": "<b>"}, {"kind": []}, {"kind": None}, {"means": 5}, {"means": None}], ids=str
)
def test_a_description_that_is_none_is_refused(odd):
    with pytest.raises(ArtifactError, match="describes it oddly"):
        client(Scorer(**odd))


WORDS = "a\nline\x1b[31m of its own" + "x" * 30_000


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (MessageKind.PROBLEM, WORDS), (MessageKind.REFUSED, WORDS),
        (MessageKind.ABSTAINED, json.dumps([WORDS, ["x"], 0])),
        (MessageKind.ABSTAINED, json.dumps([[WORDS], ["x", WORDS], -5])),
        (MessageKind.ABSTAINED, "[1, 2, 3]"), (MessageKind.ABSTAINED, '["a", ["x"], []]'),
        (MessageKind.ABSTAINED, "[" * 900), (MessageKind.ABSTAINED, "{}"),
    ],
)  # fmt: skip
def test_what_a_scorer_says_is_one_short_line(monkeypatch, kind, content):
    monkeypatch.setattr(
        Scorer, "score", lambda self, channel, *_: channel.send(kind, content.encode())
    )
    with pytest.raises(ScoringError) as raised:
        client(Scorer(shortcut=False)).score([(1,)])
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1_100
    assert getattr(raised.value, "position", 0) == 0
    assert getattr(raised.value, "fields", []) in ([], ["x"])


@pytest.mark.parametrize("before", [0, 3, SLICE + 7])
def test_an_abstention_names_its_row(before):
    rows = [(1.0,)] * before + [(ABSTAIN,)]
    with pytest.raises(Abstention, match="too hot") as raised:
        client(Scorer()).score(rows)
    assert (raised.value.position, raised.value.fields) == (before, ["x"])
