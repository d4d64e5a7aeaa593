"""manage.py verify_model and sign_model."""

import pickle

import pytest
from django.core.management import CommandError, call_command

from predictor.artifacts.files import SIGNATURE
from tests import bundles

pytestmark = pytest.mark.slow


def test_it_works(models_dir, capsys):
    folder = bundles.install(models_dir)
    call_command("verify_model", str(folder))
    printed = capsys.readouterr().out
    for line in (
        "estimator  LogisticRegression",
        "features   city, villain, hour",
        "flags      escapes, jailed",
        "scores     probability",
        "made with  scikit-learn ",
        "sklearn.linear_model._logistic.LogisticRegression",
        "verdict    accepted",
    ):
        assert line in printed


def test_verify_looks_at_all_versions_without_a_verdict(models_dir, capsys):
    bundles.install(models_dir, "arkham", "1.0.0", estimator=bundles.fitted(71))
    bundles.install(models_dir, "arkham", "1.1.0", estimator=bundles.fitted(72))
    call_command("verify_model", "--new")
    assert capsys.readouterr().out.count("accepted") == 2
    call_command("verify_model", "--new")
    assert capsys.readouterr().out == ""


def test_verify_rejects_with_an_exit_code_and_all_names(models_dir, capsys):
    folder = bundles.install(models_dir)
    (folder / "metadata.json").unlink()
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CommandError, match="refused") as refused:
        call_command("verify_model", str(folder))
    assert refused.value.returncode == 1
    printed = capsys.readouterr().out
    assert "asks for   os.system" in printed
    assert "verdict    refused" in printed
    assert "reason     model.pkl asks for os.system, which is not on the list" in printed


def test_verify_rejects_a_path_that_is_none(models_dir, capsys):
    with pytest.raises(CommandError):
        call_command("verify_model", str(models_dir / "none"))
    assert "there is no folder" in capsys.readouterr().out


def test_sign_makes_a_key_once_and_signs(models_dir, tmp_path, settings, capsys, client):
    folder, key = bundles.install(models_dir), tmp_path / "key.pem"
    call_command("sign_model", str(folder), "--key", str(key), "--new-key")
    printed = capsys.readouterr().out
    assert "signed arkham 1.0.0, serial " in printed
    assert (folder / SIGNATURE).exists()
    assert key.stat().st_mode & 0o777 == 0o600
    settings.MODEL_PUBLIC_KEY = printed.split("MODEL_PUBLIC_KEY=")[1].split()[0]
    assert client.get("/api/info").json()["verified"]["signature"].startswith("valid, serial ")
    with pytest.raises(CommandError, match="exists"):
        call_command("sign_model", "--key", str(key), "--new-key")
    key.write_text("nonsense")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("sign_model", str(folder), "--key", str(key))


def test_info_shows_the_verdict(arkham, client):
    verified = client.get("/api/info").json()["verified"]
    assert verified["verdict"] == "accepted"
    assert verified["estimator"] == "LogisticRegression"
    assert verified["signature"] == "not asked for"
    assert verified["checked"]


def test_a_refused_version_answers_503_with_its_reason(arkham, client):
    (arkham / "metadata.json").unlink()
    (arkham / "model.pkl").write_bytes(pickle.dumps({"no": "model"}))
    response = client.get("/api/info")
    assert response.status_code == 503
    assert "model.pkl holds no estimator but a dict" in response.json()["detail"]


def test_admin_shows_the_verdict(arkham, admin_client):
    page = admin_client.get("/admin/predictor/activation/").content.decode()
    assert "LogisticRegression, examined and accepted on 20" in page
    assert "signature not asked for" in page
