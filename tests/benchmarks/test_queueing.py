"""The simulation against queueing theory, and the load that does not wait for answers."""

import asyncio
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from statistics import fmean

import pytest

from benchmarks.load import LoadError
from benchmarks.queueing.arrivals import Arrivals, at_random
from benchmarks.queueing.simulation import Service, quantile, simulate

ANSWERING, TRANSACTION, ROW = 0.004, 0.002, 0.0001


def test_it_waits_as_the_formula_of_one_queue_says():
    service, load = Service(ANSWERING, 0, 0, shares=[1]), 0.8
    taken = simulate(service, load * service.capacity, 200_000, random.Random(1))
    # Pollaczek and Khinchine's, for a service time that is always the same (M/D/1)
    waiting = load * ANSWERING / (2 * (1 - load))
    assert fmean(taken) - ANSWERING == pytest.approx(waiting, rel=0.05)


def test_a_request_that_is_alone_waits_for_no_other():
    service = Service(ANSWERING, TRANSACTION, ROW)
    taken = simulate(service, 0.001, 100, random.Random(1))
    assert taken == pytest.approx([ANSWERING + TRANSACTION + ROW] * 100)


def test_a_commit_takes_the_worker_s_time_too():
    service = Service(ANSWERING, TRANSACTION, ROW, commit=0.001, shares=[1])
    taken = simulate(service, 0.001, 100, random.Random(1))
    assert taken == pytest.approx([ANSWERING + TRANSACTION + ROW + 0.001] * 100)
    # more than there is if each had its own, at three quarters of what the worker can do
    service = Service(0.001, 0, 0, commit=0.004, together=4, shares=[1])
    assert service.capacity == 500
    taken = simulate(service, 375, 20_000, random.Random(1))
    assert min(taken) == pytest.approx(0.005)
    assert fmean(taken) < 0.05


def test_requests_that_wait_share_a_commit():
    # one commit for each would take five times as long as there is
    service = Service(0.0001, 0.005, 0)
    taken = simulate(service, 1_000, 5_000, random.Random(1))
    assert len(taken) == 5_000
    assert min(taken) >= 0.0051 - 1e-9
    assert max(taken) < 0.0200  # the other worker's commit, one's own running one, one's own


def test_the_busiest_worker_sets_the_capacity():
    assert Service(0.001, 0, 0).capacity == pytest.approx(2_000)
    assert Service(0.001, 0, 0, shares=[3, 1]).capacity == pytest.approx(1_000 / 0.75)


def test_requests_come_at_random_at_the_rate_that_was_asked():
    moments = at_random(100, 20_000, random.Random(1))
    assert moments == sorted(moments)
    assert moments[-1] == pytest.approx(200, rel=0.03)
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert quantile(gaps, 0.5) == pytest.approx(0.00693, rel=0.05)  # ln 2 / rate


class _Slow(BaseHTTPRequestHandler):
    """Answers after a while, with the status that the path names."""

    protocol_version = "HTTP/1.1"
    SECONDS = 0.02

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        threading.Event().wait(self.SECONDS)
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def port():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


async def _ask(port, status, moments):
    arrivals = Arrivals(
        [f"POST /{status} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}".encode()]
    )
    try:
        await arrivals.open(port, 1)
        return await arrivals.at(moments)
    finally:
        arrivals.close()


def test_a_request_that_waits_for_a_connection_has_its_waiting_counted(port):
    taken = asyncio.run(_ask(port, 200, [0.0] * 5))
    assert len(taken) == 5
    # the fifth is asked when four were answered
    assert max(taken) >= 5 * _Slow.SECONDS
    assert taken == sorted(taken)


def test_it_reports_nothing_when_an_answer_was_no_success(port):
    with pytest.raises(LoadError, match="503"):
        asyncio.run(_ask(port, 503, [0.0]))
