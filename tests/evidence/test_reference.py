"""Six paired differences on the held-out quarter of 2025, against an independent computation.

Other models against histogram gradient boosting of 200 rounds, trained on the plain counts; forces
are the independent units. The digits come from a separate program, and a bootstrap over forces
agrees with them.
"""

import pytest
from threadpoolctl import threadpool_limits

from predictor.evidence.losses import Difference, paired_difference
from training.candidates import constant, crime_rates, empirical_bayes, learn, logistic
from training.cells import by_caught, split_by_time, usable_cells
from training.crime import FIGURES
from training.figures import read_figures

pytestmark = pytest.mark.slow

# mean, standard error over forces, lower and upper end of 95 %
REFERENCE = {
    "constant": (0.062345, 0.004452, 0.053331, 0.071358),
    "crime rates": (0.006288, 0.000993, 0.004278, 0.008298),
    "empirical Bayes": (0.001128, 0.000269, 0.000582, 0.001673),
    "logistic": (0.001188, 0.000314, 0.000552, 0.001824),
    "boosting, 100 rounds": (0.000277, 0.000076, 0.000122, 0.000431),
    "boosting, last 6 months": (0.000046, 0.000056, -0.000067, 0.000160),
}


@pytest.fixture(scope="module")
def differences() -> dict[str, Difference]:
    before, after = split_by_time(by_caught(usable_cells(read_figures(FIGURES))))
    late = before[before.index.get_level_values("period") >= "2025-04"]
    with threadpool_limits(1):
        champion = learn(before).shares(after).tolist()
        others = {
            "constant": constant(before, after),
            "crime rates": crime_rates(before, after),
            "empirical Bayes": empirical_bayes(before, after),
            "logistic": logistic(before, after),
            "boosting, 100 rounds": learn(before, 100).shares(after),
            "boosting, last 6 months": learn(late).shares(after),
        }
    counts = after.to_numpy(dtype=float).tolist()
    forces = list(after.index.get_level_values("force"))
    found = {}
    for name, shares in others.items():
        difference = paired_difference(champion, shares.tolist(), counts, forces)
        assert difference is not None
        found[name] = difference
    return found


@pytest.mark.parametrize("name", REFERENCE)
def test_it_is_that_of_the_reference(differences, name):
    found = differences[name]
    assert found.clusters == 39
    digits = tuple(round(x, 6) for x in (found.mean, found.error, found.low, found.high))
    assert digits == REFERENCE[name]
