"""A supervisor whose template is that of odd_template.py."""

import sys

from predictor.scoring import supervisor

if __name__ == "__main__":
    supervisor._TEMPLATE = [sys.executable, "-P", "-m", "tests.faults.odd_template"]
    supervisor.main()
