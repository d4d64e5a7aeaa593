"""Models as people build them are served with their own answers, from three plain pickles."""

import numpy as np
import pytest

from tests.artifacts import plain_zoo
from tests.artifacts.asking import ask_csv, ask_one

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NAMES = [*plain_zoo.MODELS, *plain_zoo.LIBRARIES]


def made(name: str) -> plain_zoo.Model:
    if name in plain_zoo.MODELS:
        return plain_zoo.MODELS[name]()
    library, make = plain_zoo.LIBRARIES[name]
    pytest.importorskip(library)
    return make()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_served_with_its_own_answers(models_dir, client, settings, name):
    model = made(name)
    settings.MODEL_ALLOW_MODULES = model.modules
    plain_zoo.write(model, models_dir / "model" / "1")
    flags, own = model.flag_names(), model.answers()
    alone = [ask_one(client, "model", item) for item in model.items]
    together = ask_one(client, "model", model.items)
    as_csv = ask_csv(client, "model", model.items)
    for way, answers in (("alone", alone), ("array", together), ("CSV", as_csv)):
        assert isinstance(answers, list), (way, answers)
        assert [list(answer) for answer in answers] == [flags] * len(own), (way, answers)
        scores = np.array([list(answer.values()) for answer in answers])
        np.testing.assert_allclose(scores, own, rtol=1e-9, atol=1e-12, err_msg=way)


def test_it_is_a_zoo():
    assert len(NAMES) >= 60
