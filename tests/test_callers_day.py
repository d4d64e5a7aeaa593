"""A caller's day, with two servers on one PostgreSQL: ask, report what came true, ask again."""

import concurrent.futures
import io
import json
import os
import random
import signal
import threading
import time
from contextlib import ExitStack

import pandas as pd
import psycopg
import pytest
import requests

from tests import bundles
from tests.bundles import CITIES, ITEM
from tests.servers import batcomputer, manage, postgres

pytestmark = pytest.mark.slow
VILLAINS = list(bundles.LOOKUP["villain"])
JSON = {"Content-Type": "application/json"}
MEASURED = """
import json
from predictor.log.accuracy import measure_accuracy
found = measure_accuracy("arkham", "1.0.0")
print(json.dumps([found.count, found.accuracy, found.brier, found.log_loss]))
"""


@pytest.fixture(scope="module")
def database():
    with postgres() as found:
        yield found


@pytest.fixture(scope="module")
def servers(database, tmp_path_factory):
    """Two servers, each with a separate spool."""
    with ExitStack() as closing:
        models = tmp_path_factory.mktemp("models")
        bundles.install(models)
        yield [
            closing.enter_context(
                batcomputer(tmp_path_factory.mktemp(name), models, migrate=name == "one",
                            DATABASE_URL=database.url, LOG_SHARED="true")
            )
            for name in ("one", "two")
        ]  # fmt: skip


def cases(count, seed):
    chance = random.Random(seed)
    return [
        {"order_no": f"{seed}-{n}", "city": chance.choice(CITIES),
         "villain": chance.choice(VILLAINS), "hour": chance.randrange(24)}
        for n in range(count)
    ]  # fmt: skip


def test_what_admin_measures_is_what_a_caller_computes(servers):
    one, two = servers
    query = "?ids=true&reference=order_no"
    answered = requests.post(f"{one.url}/api/predict{query}", json=cases(1_000, 1), timeout=60)
    array = pd.DataFrame(answered.json())
    text = pd.DataFrame(cases(20_000, 2)).to_csv(index=False)
    csv = {"Content-Type": "text/csv"}
    answered = requests.post(f"{two.url}/api/predict{query}", text, headers=csv, timeout=120)
    file = pd.read_csv(io.StringIO(answered.text))
    answers = pd.concat([array, file], ignore_index=True)
    assert answers["id"].nunique() == 21_000
    assert list(file["order_no"]) == [f"2-{n}" for n in range(20_000)]

    chance = random.Random(3)
    answers["truth"] = [
        "escapes" if chance.random() < score else "jailed" for score in answers["escapes"]
    ]
    titles = answers["truth"].map({"escapes": "Gets away", "jailed": "jailed"})
    first = [{"id": i, "outcome": said} for i, said in zip(answers["id"], titles, strict=True)]
    reported = requests.post(f"{two.url}/api/predictions/outcomes", json=first[:1_000], timeout=60)
    assert {row["result"] for row in reported.json()} == {"accepted"}
    late = pd.DataFrame({"reference": file["order_no"], "outcome": titles[1_000:].to_list()})
    reported = requests.post(
        f"{one.url}/api/predictions/outcomes", late.to_csv(index=False), headers=csv, timeout=120
    )
    results = pd.read_csv(io.StringIO(reported.text))
    assert set(results["result"]) == {"accepted"}
    assert len(results) == 20_000

    count, accuracy, brier, log_loss = json.loads(
        manage(one.env, "shell", "-v", "0", "-c", MEASURED)
    )
    # of more than 5,000 as many, by the last digits of the id (history.sampled)
    share = 16**4 * 5_000 // 21_000
    drawn = answers[answers["id"].str[-4:].map(lambda digits: int(digits, 16)) < share]
    right = drawn[["escapes", "jailed"]].idxmax(axis=1) == drawn["truth"]
    assert (count, accuracy) == (len(drawn), pytest.approx(right.mean()))
    jailed = (drawn["truth"] == "jailed").astype(float)
    assert brier == pytest.approx(((drawn["jailed"] - jailed) ** 2).mean())
    assert log_loss == pytest.approx(0.6, abs=0.1)


def test_retries_while_workers_are_killed_leave_one_row_each(servers, database):
    before = _count(database)
    ended = threading.Event()
    killer = threading.Thread(target=_kill_workers, args=(servers, ended))
    killer.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: _ask_until_answered(servers, n), range(120)))
    finally:
        ended.set()
        killer.join()
    again = [[_ask(server, n) for server in servers] for n in range(120)]
    for number, (first, both) in enumerate(zip(answers, again, strict=True)):
        assert [first, first] == both, number
    ids = {row["id"] for answer in answers for row in json.loads(answer)}
    assert len(ids) == _count(database) - before == sum(n % 5 + 1 for n in range(120))


def _kill_workers(servers, ended):
    """One of the two servers' workers now and then, six at most: new ones need their time."""
    for number in range(6):
        if ended.wait(0.5):
            return
        for worker in servers[number % 2].workers()[:1]:
            os.kill(worker, signal.SIGKILL)


def _ask_until_answered(servers, number):
    chance = random.Random(number)
    for _ in range(300):
        try:
            answer = _ask(chance.choice(servers), number, timeout=chance.choice([0.02, 20]))
        except requests.RequestException:
            continue
        if answer is not None:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"request {number} was never answered")


def _ask(server, number, timeout=20):
    """The answer to an array of one to five items; None of a server that asks to come later."""
    items = [ITEM | {"hour": hour} for hour in range(number % 5 + 1)]
    answered = requests.post(
        f"{server.url}/api/predict?ids=true", json=items, timeout=timeout,
        headers={"Idempotency-Key": f"request {number}"},
    )  # fmt: skip
    if answered.status_code in (502, 503):
        return None
    assert answered.status_code == 200, answered.text
    return answered.text


def _count(database):
    with psycopg.connect(database.url) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM predictor_prediction").fetchone()
    return count
