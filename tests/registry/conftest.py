"""Fixtures of the registry's tests."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from tests import bundles


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from tests.azurite import azurite  # needs Azure's packages, which no fast test needs

    with azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture
def account(server):
    """An empty storage account."""
    server.clear()
    return server


@pytest.fixture
def heavy(tmp_path):
    """A version of 20 MB, which moves in several chunks."""
    random = np.random.default_rng(0)
    rows, escaped = random.random((20_000, 3)), random.integers(0, 2, 20_000)
    forest = RandomForestClassifier(12, random_state=0).fit(rows, escaped)
    return bundles.install(tmp_path / "heavy", estimator=forest)
