"""Versions as people hand them over, three plain pickles each, all over HTTP.

The cases are written by a program outside of the repository; where it is not there, the zoo of
tests/artifacts/plain_zoo.py has the same and more.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.artifacts.asking import ask_csv, ask_one

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PROGRAM = Path(__file__).resolve().parents[3] / "shared" / "cases" / "models.py"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip(f"there is no {PROGRAM}")
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, str(PROGRAM), str(folder)], check=True)
    return folder


def test_each_is_served_with_its_own_answers_or_refused_in_words(models_dir, cases, client):
    models_dir.symlink_to(cases)
    wrong = []
    for name, expected in json.loads((cases / "expected.json").read_text()).items():
        if words := expected.get("refuse"):
            answer = client.get(f"/api/models/{name}/info")
            if answer.status_code != 503 or words not in answer.json()["detail"]:
                wrong.append((name, answer.status_code, answer.content[:300]))
            continue
        items, wanted = zip(*expected["serve"], strict=True)
        alone = [ask_one(client, name, item) for item in items]
        together = ask_one(client, name, list(items))
        for way, answers in (("alone", alone), ("array", together),
                             ("CSV", ask_csv(client, name, items))):  # fmt: skip
            if not isinstance(answers, list) or not all(map(close, answers, wanted)):
                wrong.append((name, way, answers, wanted))
    assert not wrong, "\n".join(map(str, wrong))


def close(answer, wanted):
    return answer.keys() == wanted.keys() and all(
        math.isclose(answer[flag], score, rel_tol=1e-12, abs_tol=1e-12)
        for flag, score in wanted.items()
    )
