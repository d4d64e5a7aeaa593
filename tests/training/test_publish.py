"""python -m training.publish: to Azure Blob storage."""

import pytest

from predictor.registry.azure import AzureRegistry
from tests import bundles
from tests.azurite import azurite
from training import publish


@pytest.mark.slow
def test_it_works(tmp_path, monkeypatch, capsys):
    folder = bundles.install(tmp_path / "models")
    with azurite(tmp_path) as account:
        for name, value in account.environment.items():
            monkeypatch.setenv(name, value)
        publish.main([str(folder)])
        assert "arkham 1.0.0 is published to Azure account gotham" in capsys.readouterr().out
        registry = AzureRegistry.from_environment(account.environment)
        assert registry.versions("arkham") == ["1.0.0"]
        with pytest.raises(SystemExit, match="versions are final"):
            publish.main([str(folder)])


def test_it_says_when_no_registry_is_set(tmp_path, monkeypatch):
    for name in ("ACCOUNT", "CONNECTION_STRING"):
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)
    with pytest.raises(SystemExit, match="AZURE_STORAGE_ACCOUNT"):
        publish.main([str(tmp_path / "models/crime/1.0.0")])
