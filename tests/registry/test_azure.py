"""Azure Blob storage as a registry, against Azurite."""

import pytest

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import METADATA, MODEL
from predictor.artifacts.version import load_version
from predictor.evidence.errors import RefusedError
from predictor.registry import RegistryError, find_version
from predictor.registry.azure import AzureRegistry
from predictor.registry.local import LocalRegistry
from predictor.registry.publication import publish
from tests import bundles
from tests.azurite import BreakingProxy
from tests.servers import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(account):
    return AzureRegistry.from_environment(account.environment)


@pytest.fixture
def here(tmp_path):
    """A folder that versions are fetched into."""
    return LocalRegistry(tmp_path / "here")


@pytest.fixture
def folder(tmp_path):
    """A version to publish."""
    return bundles.install(tmp_path / "models")


def with_settings(account, **changes):
    return AzureRegistry.from_environment(account.environment | changes)


def blob(account, path, model="arkham"):
    return account.service.get_blob_client(model, path)


def test_it_works(registry, folder, here):
    moved = []
    registry.publish(folder, lambda *progress: moved.append(progress))
    assert registry.models() == ["arkham"]
    assert registry.versions("arkham") == ["1.0.0"]
    assert registry.exists("arkham", "1.0.0")
    fetched = registry.fetch("arkham", "1.0.0", here.root, lambda *progress: moved.append(progress))
    assert fetched == here.folder("arkham", "1.0.0")
    assert load_version(fetched).sha256 == load_version(folder).sha256
    assert {file for file, done, total in moved if done == total} == {
        path.name for path in folder.iterdir()
    }
    assert not list(here.root.glob(".incoming/*"))


def test_it_keeps_why_a_refused_version_was_published(account, registry, tmp_path, here):
    refused = {"result": "refused"}
    folder = bundles.install(tmp_path / "models", metadata={"verdict": refused})
    with pytest.raises(RefusedError, match="is not published: refused by"):
        publish(folder, account.environment)
    assert registry.models() == []
    said = publish(folder, account.environment, "a drill, übungshalber\n")
    assert said.endswith("by force: a drill, übungshalber\n")
    assert registry.forced("arkham", "1.0.0") == "a drill, übungshalber\\u000a"
    passed = bundles.install(tmp_path / "models", version="1.1.0")
    assert "force" not in publish(passed, account.environment, "not needed")
    assert registry.forced("arkham", "1.1.0") == ""


def test_it_orders_versions_as_people_do(registry, tmp_path):
    for version in ("1.10.0", "1.9.0", "2.0.0-rc1"):
        registry.publish(bundles.install(tmp_path, version=version))
    assert registry.versions("arkham") == ["1.9.0", "1.10.0", "2.0.0-rc1"]
    assert find_version(registry, "arkham", "latest") == "2.0.0-rc1"


def test_it_passes_over_what_is_no_version(account, registry, folder):
    registry.publish(folder)
    for path in ("notes.txt", "1.1.0/model.pkl", ".x/model.pkl", "a/b/model.pkl"):
        blob(account, path).upload_blob(b"?")
    assert registry.versions("arkham") == ["1.0.0"]


def test_it_passes_over_containers_that_are_no_models(account, registry, folder):
    registry.publish(folder)
    for name in ("static", "metrics", "$web", "empty", "notes"):
        account.service.create_container(name)
    blob(account, "readme.txt", model="notes").upload_blob(b"?")
    blob(account, "1.0.0/model.pkl", model="static").upload_blob(b"?")
    assert registry.models() == ["arkham"]


def test_it_never_overwrites(account, registry, folder):
    registry.publish(folder)
    before = blob(account, f"1.0.0/{MODEL}").get_blob_properties().etag
    with pytest.raises(RegistryError, match="exists already in Azure account gotham"):
        registry.publish(folder)
    assert blob(account, f"1.0.0/{MODEL}").get_blob_properties().etag == before


def test_it_completes_a_publication_that_broke_off(account, registry, folder):
    registry.publish(folder)
    blob(account, f"1.0.0/{MODEL}").delete_blob()
    assert not registry.exists("arkham", "1.0.0")
    registry.publish(folder)
    assert registry.versions("arkham") == ["1.0.0"]


def test_it_rejects_other_files_under_a_version_that_broke_off(account, registry, folder, tmp_path):
    registry.publish(folder)
    blob(account, f"1.0.0/{MODEL}").delete_blob()
    other = bundles.install(tmp_path / "other", estimator=bundles.fitted(seed=1))
    with pytest.raises(RegistryError, match=r"another file is there .* next version"):
        registry.publish(other)


def test_it_rejects_a_version_that_cannot_be_served(registry, folder):
    (folder / MODEL).write_bytes(b"no pickle")
    with pytest.raises(ArtifactError, match=r"model\.pkl"):
        registry.publish(folder)


def test_it_rejects_a_model_name_that_azure_does_not_take(registry, tmp_path):
    with pytest.raises(RegistryError, match="lowercase letters, digits and single hyphens"):
        registry.publish(bundles.install(tmp_path, model="Arkham_Asylum"))


def test_it_rejects_a_wrong_key(account, registry, folder, here):
    registry.publish(folder)
    wrong = with_settings(account, AZURE_STORAGE_KEY="d3Jvbmc=")
    with pytest.raises(
        RegistryError, match=r"^Azure account gotham, container arkham: .*AZURE_STORAGE_KEY.*$"
    ) as raised:
        wrong.fetch("arkham", "1.0.0", here.root)
    assert "\n" not in str(raised.value)
    with pytest.raises(RegistryError, match="AZURE_STORAGE_KEY"):
        with_settings(account, AZURE_STORAGE_KEY="not base64").versions("arkham")


def test_it_rejects_a_missing_container(registry, here):
    with pytest.raises(RegistryError, match=r"container arkham: there is no such container; check"):
        registry.versions("arkham")
    with pytest.raises(RegistryError, match=r"there is no such container"):
        registry.fetch("arkham", "1.0.0", here.root)


def test_it_rejects_a_missing_version(registry, folder, here):
    registry.publish(folder)
    with pytest.raises(RegistryError, match=r"no version '2\.0\.0' of arkham: it has 1\.0\.0"):
        find_version(registry, "arkham", "2.0.0")
    with pytest.raises(RegistryError, match=r"blob 2\.0\.0/model\.pkl: there is no such blob"):
        registry.fetch("arkham", "2.0.0", here.root)
    assert here.versions("arkham") == []


def test_it_rejects_an_account_that_cannot_be_reached(account, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the attempts
    lost = with_settings(account, AZURE_STORAGE_ACCOUNT=f"http://127.0.0.1:{free_port()}/gotham")
    with pytest.raises(RegistryError, match="cannot be reached; check AZURE_STORAGE_ACCOUNT"):
        lost.versions("arkham")


@pytest.mark.parametrize("file", ["model.pkl", "lookup.pkl", "flags.pkl"])
@pytest.mark.parametrize("described", [True, False])
def test_it_rejects_a_truncated_blob(account, registry, folder, here, file, described):
    if not described:
        (folder / METADATA).unlink()
    registry.publish(folder)
    whole = (folder / file).read_bytes()
    blob(account, f"1.0.0/{file}").upload_blob(whole[: len(whole) // 2], overwrite=True)
    with pytest.raises(ArtifactError, match=file):
        registry.fetch("arkham", "1.0.0", here.root)
    assert here.versions("arkham") == []


def test_it_rejects_an_altered_blob(account, registry, folder, here, tmp_path):
    registry.publish(folder)
    other = bundles.install(tmp_path / "other", estimator=bundles.fitted(seed=1)) / MODEL
    blob(account, f"1.0.0/{MODEL}").upload_blob(other.read_bytes(), overwrite=True)
    described = r"model\.pkl is not the file that metadata\.json describes"
    with pytest.raises(ArtifactError, match=described):
        registry.fetch("arkham", "1.0.0", here.root)
    assert here.versions("arkham") == []


def test_it_rejects_a_blob_of_absurd_size(account, registry, folder, here):
    registry.publish(folder)
    blob(account, "1.0.0/flags.pkl").upload_blob(bytes(9 * 2**20), overwrite=True)
    with pytest.raises(RegistryError, match="9,437,184 bytes are more than the 8,388,608"):
        registry.fetch("arkham", "1.0.0", here.root)


def test_it_reads_with_a_read_only_sas(account, registry, folder, here, tmp_path):
    registry.publish(folder)
    key = {"AZURE_STORAGE_KEY": "", "AZURE_STORAGE_SAS_TOKEN": account.sas("rl")}
    reader = with_settings(account, **key)
    assert reader.fetch("arkham", "1.0.0", here.root).is_dir()
    with pytest.raises(RegistryError, match="do not allow this; check the permissions") as raised:
        reader.publish(bundles.install(tmp_path / "more", version="1.1.0"))
    assert "sig=" not in str(raised.value)


def test_it_reads_a_connection_string(account, registry, folder, here):
    registry.publish(folder)
    text = (
        f"DefaultEndpointsProtocol=http;AccountName=gotham;BlobEndpoint={account.url};"
        f"AccountKey={account.environment['AZURE_STORAGE_KEY']}"
    )
    named = AzureRegistry.from_environment({"AZURE_STORAGE_CONNECTION_STRING": text})
    assert named.versions("arkham") == ["1.0.0"]
    with pytest.raises(RegistryError, match="AZURE_STORAGE_CONNECTION_STRING cannot be used"):
        AzureRegistry.from_environment({"AZURE_STORAGE_CONNECTION_STRING": "nonsense"})


def test_it_rejects_an_empty_environment():
    with pytest.raises(RegistryError, match="set AZURE_STORAGE_ACCOUNT"):
        AzureRegistry.from_environment({})


def test_it_goes_on_when_a_transfer_breaks_off(account, registry, heavy, here):
    registry.publish(heavy)
    with BreakingProxy(account, breaks=2, after=2_000_000) as proxy:
        shaky = with_settings(account, AZURE_STORAGE_ACCOUNT=proxy.url)
        fetched = shaky.fetch("arkham", "1.0.0", here.root)
        assert proxy.broken == 2
    assert load_version(fetched).sha256 == load_version(heavy).sha256


def test_it_gives_up_when_transfers_keep_breaking_off(account, registry, heavy, here, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the attempts
    registry.publish(heavy)
    with BreakingProxy(account, breaks=1_000, after=2_000_000) as proxy:
        shaky = with_settings(account, AZURE_STORAGE_ACCOUNT=proxy.url)
        with pytest.raises(RegistryError, match=r"container arkham, blob .*: the transfer broke"):
            shaky.fetch("arkham", "1.0.0", here.root)
    assert here.versions("arkham") == []
    assert not (here.root / ".incoming").exists()
