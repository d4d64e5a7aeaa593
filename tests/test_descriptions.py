"""The server's descriptions of its models: params, info, the list of models, the probes."""

import pytest

from predictor.artifacts.confinement import means
from tests import bundles

pytestmark = pytest.mark.django_db


def test_params_give_every_feature_and_label(arkham, client):
    for path in ("/api/predict/params", "/api/models/arkham/params"):
        assert client.get(path).json() == {
            "city": ["Gotham", "Metropolis", "Blüdhaven"],
            "villain": ["Joker", "Penguin", "Riddler", "Catwoman"],
            "hour": 0,
        }


def test_info_gives_the_metadata(arkham, client):
    info = client.get("/api/info").json()
    assert (info["status"], info["model"], info["version"]) == ("alive", "arkham", "1.0.0")
    assert info["metadata"]["title"] == "Arkham"
    assert info["scores"] == "probability"
    assert len(info["sha256"]) == 64


def test_info_needs_no_metadata_file(arkham, client):
    (arkham / "metadata.json").unlink()
    info = client.get("/api/info").json()
    assert (info["status"], info["metadata"]) == ("alive", {})


def test_models_lists_all_and_survives_a_broken_one(arkham, models_dir, client):
    broken = bundles.install(models_dir, "blackgate")
    (broken / "flags.pkl").write_bytes(b"junk")
    assert [(m["name"], m["status"]) for m in client.get("/api/models").json()] == [
        ("arkham", "alive"),
        ("blackgate", "unavailable"),
    ]
    assert client.get("/api/info").status_code == 200


def test_the_probes_tell_life_from_readiness(models_dir, client):
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "no model is installed" in response.json()["detail"]
    bundles.install(models_dir)
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["confinement"]) == ("ready", ", ".join(means()))
    assert "table" in client.get("/api/info").json()["confinement"]
