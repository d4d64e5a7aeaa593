"""Several scorers of one version: who is asked."""

import os

import pytest

from predictor.artifacts.errors import ScorerLost
from predictor.scoring.replicas import Replicas

ROW = (1.0,)


class Scorer:
    kind, confinement = "value", "seccomp"

    def __init__(self):
        self.asked, self.meanwhile = 0, lambda: None

    def score(self, rows):
        self.asked += 1
        self.meanwhile()
        return [[float(len(rows))]]


@pytest.fixture
def scorers(monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 7)
    return [Scorer() for _ in range(3)]


def asked(scorers):
    return [scorer.asked for scorer in scorers]


def test_it_works(scorers):
    replicas = Replicas(scorers)
    assert (replicas.kind, replicas.confinement) == ("value", "seccomp")
    assert replicas.score([ROW, ROW]) == [[2.0]]
    assert asked(scorers) == [0, 1, 0], "7 % 3"


def test_a_busy_one_is_spared(scorers):
    replicas = Replicas(scorers)
    scorers[1].meanwhile = lambda: replicas.score([ROW])
    replicas.score([ROW])
    assert asked(scorers) == [0, 1, 1]


def test_a_lost_one_is_not_busy_for_ever(scorers):
    replicas = Replicas(scorers)

    def lost():
        raise ScorerLost

    scorers[1].meanwhile = lost
    for _ in range(2):
        with pytest.raises(ScorerLost):
            replicas.score([ROW])
    assert asked(scorers) == [0, 2, 0]
