"""Estimators of other libraries: refused, until the operator names their modules."""

import numpy as np
import pytest

from tests import bundles
from tests.artifacts import zoo

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

SMALL = {"n_estimators": 3, "n_jobs": 1}
LIBRARIES = {
    "lightgbm": ("LGBMClassifier", ["lightgbm.sklearn", "lightgbm.basic"], {"verbose": -1}),
    "xgboost": ("XGBClassifier", ["xgboost.sklearn", "xgboost.core"], {}),
}


@pytest.fixture(params=LIBRARIES)
def boosted(request, models_dir):
    library = pytest.importorskip(request.param)
    name, modules, options = LIBRARIES[request.param]
    model = getattr(library, name)(**SMALL, **options)
    animal = zoo.animal(name, model, (zoo.codes()[:, 0] > 0).astype(int))
    bundles.install(models_dir, "zoo", "1", animal.estimator, zoo.LOOKUP, animal.flags, {})
    return animal, modules


def test_it_works_where_the_operator_allows_it(boosted, post, settings):
    animal, settings.MODEL_ALLOW_MODULES = boosted
    answers = post(zoo.ITEMS).json()
    scores = np.array([[answer[flag] for flag in animal.flags] for answer in answers])
    np.testing.assert_allclose(scores, animal.scores, rtol=0, atol=1e-12)


def test_it_rejects_them_otherwise(boosted, post):
    response = post(zoo.ITEMS)
    assert response.status_code == 503
    assert f"sklearn.{boosted[0].name}: the server's operator" in response.json()["detail"]
    assert "MODEL_ALLOW_MODULES" in response.json()["detail"]


@pytest.mark.parametrize(
    "pickled",
    [b"cos\nsystem\n(Vtrue\ntR.", b"clightgbm.basic\n_safe_call\n(I0\ntR.",
     b"\x80\x04\x8c\x0elightgbm.basic\x8c\x0cBooster.eval\x93)R.",
     b"clightgbm.basic\nBooster\n(N}Vx\ntR.", b"\x80\x02clightgbm.basic\nctypes\n)\x81."],
    ids=["another module", "a function", "a dotted name", "with arguments", "a module's module"],
)  # fmt: skip
def test_it_rejects_the_rest_of_allowed_modules(models_dir, post, settings, pickled):
    pytest.importorskip("lightgbm")
    settings.MODEL_ALLOW_MODULES = ["lightgbm.sklearn", "lightgbm.basic", "posix"]
    folder = bundles.install(models_dir, "zoo", "1")
    (folder / "metadata.json").unlink()
    (folder / "model.pkl").write_bytes(pickled)
    response = post(bundles.ITEM)
    assert response.status_code == 503
    assert "model.pkl" in response.json()["detail"]
