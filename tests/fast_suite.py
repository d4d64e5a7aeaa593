"""What ``pytest`` runs when nothing is named: the fast suite, twenty seconds of processor time.

It leaves out slow tests, the files whose fast tests cost most, and seven in eight of the cases that
are alike. What the command line names is run with all its fast tests.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SLOW_TO_IMPORT = {TESTS / "browser", TESTS / "delivery", TESTS / "training" / "test_notebooks.py"}
SLOW_AS_A_WHOLE = re.compile(r"^pytestmark = (\[[^]]*)?pytest\.mark\.slow\b", re.MULTILINE)
# In these files a fast test costs a twentieth of a second and more.
DEAR = """
artifacts/metadata artifacts/wrong_answers artifacts/zoo benchmarks/queueing
log/admin_lookups log/archive log/drift log/figures log/metrics log/request_log log/retention
log/steps log/truth log/upkeep
registry/activation registry/answering registry/canary registry/commands registry/comparison
training/download training/figures_report training/gate
trials/retraining trials/runs trials/shadow trials/story trials/truth trials/watch
addresses api_keys attribution callers case_page compare console curve document login_lock missing
model_card readiness spreadsheet_exits workbooks
"""
RUN_WHEN_NAMED = {
    TESTS / folder / f"test_{name}.py"
    for folder, _, name in (path.rpartition("/") for path in DEAR.split())
}
ONE_CASE_OF = 8


def is_fast_suite(config: pytest.Config) -> bool:
    """Whether nothing was named on the command line, no file and no mark."""
    return bool(config.option.markexpr == "not slow" and config.args_source.name != "ARGS")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import what is left out as a whole: that takes seconds."""
    if not is_fast_suite(config):
        return None
    if collection_path in SLOW_TO_IMPORT | RUN_WHEN_NAMED:
        return True
    a_test = collection_path.match("test_*.py")
    return True if a_test and SLOW_AS_A_WHOLE.search(collection_path.read_text()) else None


@pytest.hookimpl(trylast=True)  # slow cases are gone by then
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the cases of one test keep the first of every eight."""
    if not is_fast_suite(config):
        return
    seen: Counter[str] = Counter()
    chosen: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        test = item.nodeid.partition("[")[0]
        (left if seen[test] % ONE_CASE_OF else chosen).append(item)
        seen[test] += 1
    config.hook.pytest_deselected(items=left)
    items[:] = chosen
