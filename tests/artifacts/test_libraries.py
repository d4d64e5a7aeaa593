"""The modules that the template imports before scorers are forked from it."""

import subprocess
import sys

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.slow

IMPORTS = """
import sys
from predictor.artifacts.libraries import import_for, import_scikit_learn
import_scikit_learn()
print(*sorted({"pandas", "pyarrow", "pytest", "rich", "scipy", "sklearn"} & sys.modules.keys()))
import_for(b"a model fitted on a table has feature_names_in_", [])
print("pandas" in sys.modules)
from predictor.artifacts.pickles.allowlist import estimator_names
print(*sorted({module for module, _ in estimator_names()} - sys.modules.keys()))
"""


def test_it_has_what_a_pickle_may_name_and_leaves_out_what_no_estimator_needs():
    """A confined process can import nothing more."""
    run = [sys.executable, "-c", IMPORTS]
    printed = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == ["scipy sklearn", "True", ""]


def test_a_model_of_another_library_may_get_a_data_frame():
    code = (
        "import sys; from predictor.artifacts.libraries import import_for; "
        "import_for(b'an estimator of json.tool', ['json.tool']); print('pandas' in sys.modules)"
    )
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, text=True).stdout == "True\n"  # noqa: PLW1510
