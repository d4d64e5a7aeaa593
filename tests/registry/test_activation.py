"""Which version answers: chosen, followed, taken back."""

import gc
import shutil
import weakref

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from predictor.artifacts.files import MODEL
from predictor.models import Activation
from predictor.registry import RegistryError
from predictor.registry.tracking import announce
from predictor.serving.activation import ActivationError, activate, in_service, roll_back
from predictor.serving.current import serving
from predictor.serving.loading import load_beside
from tests import bundles, once
from tests.bundles import ITEM, METADATA


@pytest.fixture
def versions(models_dir):
    """Arkham 1.0.0, 1.1.0 and 1.2.0, all different; 1.1.0 answers, none was activated."""
    for seed, version in enumerate(("1.0.0", "1.1.0")):
        bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))
    assert serving().active().version == "1.1.0"
    bundles.install(models_dir, version="1.2.0", estimator=bundles.fitted(2))
    return models_dir


def answering():
    serving().refresh()
    return serving().active().version


def info():
    serving().refresh()
    return Client().get("/api/info").json()


def break_version(models_dir, version):
    (models_dir / "arkham" / version / MODEL).write_bytes(b"no pickle")


def test_it_works(versions, post):
    assert answering() == "1.1.0"
    row = activate("arkham", "latest", "Alfred", "fewer escapes")
    assert (row.version, row.previous, row.by, row.reason) == (
        "1.2.0", "1.1.0", "Alfred", "fewer escapes"
    )  # fmt: skip
    before = post(ITEM)
    serving().refresh()
    after = post(ITEM)
    assert (before["X-Model-Version"], after["X-Model-Version"]) == ("1.1.0", "1.2.0")
    assert before.json() != after.json()
    assert info()["problem"] is None


def test_it_serves_what_is_active_after_a_restart(versions):
    activate("arkham", "1.0.0", "Alfred")
    serving.cache_clear()
    assert serving().active().version == "1.0.0"


def test_it_keeps_to_what_is_active_when_a_version_appears(versions):
    activate("arkham", "1.0.0", "Alfred")
    assert answering() == "1.0.0"
    bundles.install(versions, version="9.0.0")
    assert answering() == "1.0.0"
    serving.cache_clear()
    assert answering() == "1.0.0"


def test_a_request_keeps_its_version_through_a_swap(versions):
    model = serving().active()
    activate("arkham", "1.2.0", "Alfred")
    serving().refresh()
    assert (model.version, serving().active().version) == ("1.1.0", "1.2.0")


def test_nothing_is_left_of_the_old_version(versions):
    before = weakref.ref(serving().active())
    once.loaded.clear()
    activate("arkham", "1.2.0", "Alfred")
    gc.disable()  # what lives on in cycles lives on for long
    try:
        serving().refresh()
        assert before() is None
    finally:
        gc.enable()


def test_it_rolls_back(versions):
    activate("arkham", "1.0.0", "Alfred")
    activate("arkham", "1.2.0", "Alfred")
    row = roll_back("arkham", "Robin", "escapes again")
    assert (row.kind, row.version, row.previous) == ("rollback", "1.0.0", "1.2.0")
    assert answering() == "1.0.0"


def test_a_rollback_never_returns_to_what_could_not_be_served(versions):
    activate("arkham", "1.0.0", "Alfred")
    activate("arkham", "1.1.0", "Alfred")
    Activation.report("arkham", "1.1.0", "model.pkl is damaged")
    activate("arkham", "1.2.0", "Alfred")
    assert "1.1.0" not in Activation.chain("arkham")
    assert roll_back("arkham", "Robin").version == "1.0.0"


def test_a_rollback_never_returns_to_what_was_rolled_back(versions):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        activate("arkham", version, "Alfred")
    rolled = [roll_back("arkham", "Robin").version for _ in range(2)]
    assert rolled == ["1.1.0", "1.0.0"]
    with pytest.raises(ActivationError, match="no earlier version"):  # 1.1.0 answered before, too
        roll_back("arkham", "Robin")


def test_a_rollback_is_to_another_version(versions):
    for version in ("1.1.0", "1.0.0", "1.2.0", "1.0.0", "1.2.0"):
        activate("arkham", version, "Alfred")
    rolled = [roll_back("arkham", "Robin").version for _ in range(2)]
    assert rolled == ["1.0.0", "1.1.0"]


def test_a_version_that_was_rolled_back_may_be_activated_again(versions):
    for version in ("1.0.0", "1.2.0"):
        activate("arkham", version, "Alfred")
    roll_back("arkham", "Robin")
    for version in ("1.2.0", "1.0.0"):
        activate("arkham", version, "Alfred", "mended")
    assert roll_back("arkham", "Robin").version == "1.2.0"


def test_a_rollback_of_the_first_activation_returns_to_what_answered(versions):
    activate("arkham", "1.2.0", "Alfred")
    assert roll_back("arkham", "Robin").version == "1.1.0"
    with pytest.raises(ActivationError, match="no earlier version that can be served"):
        roll_back("arkham", "Robin")


def test_a_rollback_passes_over_what_cannot_be_served(versions):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        activate("arkham", version, "Alfred")
    break_version(versions, "1.1.0")
    assert roll_back("arkham", "Robin").version == "1.0.0"


def test_it_rejects_a_broken_version(versions):
    activate("arkham", "1.0.0", "Alfred")
    assert answering() == "1.0.0"
    break_version(versions, "1.2.0")
    with pytest.raises(ActivationError, match=r"1\.2\.0 was not activated.*model\.pkl"):
        activate("arkham", "1.2.0", "Alfred")
    assert answering() == in_service("arkham") == "1.0.0"
    assert "1.2.0 was refused" in info()["problem"]
    row = Activation.objects.first()
    assert row.refused
    assert "model.pkl" in row.problem
    activate("arkham", "1.1.0", "Alfred")
    assert info()["problem"] is None


def test_a_version_that_breaks_later_leaves_the_old_one_serving(versions, monkeypatch):
    monkeypatch.setattr("predictor.serving.version_loader.RETRY", 0)
    assert answering() == "1.1.0"
    activate("arkham", "1.2.0", "Alfred")
    intact = (versions / "arkham" / "1.2.0" / MODEL).read_bytes()
    break_version(versions, "1.2.0")
    assert (info()["version"], answering()) == ("1.1.0", "1.1.0")
    assert "1.2.0 cannot be served: model.pkl" in info()["problem"]
    assert "model.pkl" in Activation.objects.get().problem
    (versions / "arkham" / "1.2.0" / MODEL).write_bytes(intact)
    serving()._active["arkham"] = (
        serving()._active["arkham"].__class__(**{**vars(serving()._active["arkham"]), "retry": 0})
    )
    assert answering() == "1.2.0"
    assert info()["problem"] is None
    assert Activation.objects.get().problem == ""


def test_a_restart_on_a_broken_version_serves_the_one_before(versions):
    activate("arkham", "1.0.0", "Alfred")
    activate("arkham", "1.2.0", "Alfred")
    break_version(versions, "1.2.0")
    serving.cache_clear()
    assert info()["version"] == "1.0.0"
    assert "1.2.0 cannot be served" in info()["problem"]


def test_it_rejects_what_is_active_already(versions):
    activate("arkham", "1.2.0", "Alfred")
    with pytest.raises(ActivationError, match="active already"):
        activate("arkham", "1.2.0", "Alfred")


def test_it_rejects_a_version_that_is_not_there(versions):
    with pytest.raises(RegistryError, match=r"it has 1\.0\.0, 1\.1\.0, 1\.2\.0"):
        activate("arkham", "3.0.0", "Alfred")
    assert not Activation.objects.exists()


def replace_version(models_dir, version, seed):
    """Other files appear under a name that was there already."""
    shutil.rmtree(models_dir / "arkham" / version)
    bundles.install(models_dir, version=version, estimator=bundles.fitted(seed))


@pytest.mark.slow
def test_other_files_under_an_activated_name_do_not_answer(versions):
    activate("arkham", "1.0.0", "Alfred")
    activate("arkham", "1.2.0", "Alfred")
    assert answering() == "1.2.0"
    before = serving().active().sha256
    replace_version(versions, "1.2.0", seed=7)
    assert (answering(), serving().active().sha256) == ("1.2.0", before)
    serving.cache_clear()
    assert info()["version"] == "1.0.0"
    assert (
        "1.2.0 cannot be served: its files are not those that were activated" in info()["problem"]
    )


def test_other_files_answer_once_they_are_activated(versions, post):
    activate("arkham", "1.2.0", "Alfred")
    assert answering() == "1.2.0"
    before = post(ITEM).json()
    replace_version(versions, "1.2.0", seed=7)
    activate("arkham", "1.2.0", "Alfred")
    assert answering() == "1.2.0"
    assert post(ITEM).json() != before
    with pytest.raises(ActivationError, match="active already"):
        activate("arkham", "1.2.0", "Alfred")


def test_what_answers_goes_on_when_its_new_files_break(versions):
    activate("arkham", "1.2.0", "Alfred")
    assert answering() == "1.2.0"
    before = serving().active()
    replace_version(versions, "1.2.0", seed=7)
    activate("arkham", "1.2.0", "Alfred")
    break_version(versions, "1.2.0")
    assert answering() == "1.2.0"
    assert serving().active() is before
    assert "model.pkl" in info()["problem"]


def test_a_version_that_is_gone_goes_on_answering_until_a_restart(versions):
    activate("arkham", "1.0.0", "Alfred")
    activate("arkham", "1.2.0", "Alfred")
    assert answering() == "1.2.0"
    shutil.rmtree(versions / "arkham" / "1.2.0")
    assert answering() == "1.2.0"
    serving.cache_clear()
    assert info()["version"] == "1.0.0"
    assert "1.2.0 cannot be served: there is no folder" in info()["problem"]


def test_a_rollback_passes_over_other_files(versions):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        activate("arkham", version, "Alfred")
    replace_version(versions, "1.1.0", seed=7)
    assert roll_back("arkham", "Robin").version == "1.0.0"


@pytest.mark.parametrize(
    "decide", [lambda: activate("arkham", "1.0.0", "Robin"), lambda: roll_back("arkham", "Robin")]
)
def test_of_two_who_decide_at_once_one_is_refused(versions, monkeypatch, decide):
    for version in ("1.0.0", "1.1.0"):
        activate("arkham", version, "Alfred")

    def slowly(folder, **options):
        monkeypatch.setattr("predictor.serving.activation.load_beside", load_beside)
        activate("arkham", "1.2.0", "Alfred")  # while this one is being loaded …
        return load_beside(folder, **options)

    monkeypatch.setattr("predictor.serving.activation.load_beside", slowly)
    with pytest.raises(ActivationError, match=r"1\.2\.0 of arkham .* \(activation by Alfred\)"):
        decide()
    assert answering() == in_service("arkham") == "1.2.0"
    assert Activation.objects.count() == 3


def test_it_rejects_a_decision_made_of_another_version(versions):
    activate("arkham", "1.0.0", "Alfred")
    with pytest.raises(ActivationError, match="look again"):
        activate("arkham", "1.2.0", "Robin", instead_of="1.1.0")
    assert activate("arkham", "1.2.0", "Robin", instead_of="1.0.0").previous == "1.0.0"


def test_a_rollback_returns_to_what_answered_and_not_to_what_was_only_installed(versions, post):
    assert post(ITEM)["X-Model-Version"] == "1.1.0"
    bundles.install(versions, version="1.3.0", estimator=bundles.fitted(3))
    assert activate("arkham", "1.2.0", "Alfred").previous == "1.1.0"
    assert roll_back("arkham", "Alfred").version == "1.1.0"


@pytest.mark.parametrize("pin", ["1.0.0", "arkham=1.0.0", "other=7, arkham=1.0.0"])
def test_it_keeps_to_a_pinned_version(versions, settings, pin):
    activate("arkham", "1.2.0", "Alfred")
    settings.MODEL_VERSION = pin
    serving.cache_clear()
    assert answering() == in_service("arkham") == "1.0.0"
    with pytest.raises(ActivationError, match=r"pinned to 1\.0\.0 by MODEL_VERSION"):
        activate("arkham", "1.1.0", "Alfred")
    with pytest.raises(ActivationError, match=r"pinned"):
        roll_back("arkham", "Alfred")


def test_a_pin_to_what_is_not_there_is_reported(versions, settings, client):
    settings.MODEL_VERSION = "arkham=9.9.9"
    serving.cache_clear()
    response = client.get("/api/info")
    assert response.status_code == 503
    assert "arkham 9.9.9 cannot be served: there is no folder" in response.json()["detail"]


@pytest.mark.slow
def test_several_models_each_have_their_own(versions):
    for version in ("1.0.0", "2.0.0"):
        bundles.install(versions, model="blackgate", version=version, metadata=METADATA)
    activate("blackgate", "1.0.0", "Alfred")
    activate("arkham", "1.0.0", "Alfred")
    assert (answering(), serving().active("blackgate").version) == ("1.0.0", "1.0.0")
    activate("blackgate", "2.0.0", "Alfred")
    assert (answering(), serving().active("blackgate").version) == ("1.0.0", "2.0.0")
    roll_back("arkham", "Alfred")
    assert (answering(), serving().active("blackgate").version) == ("1.2.0", "2.0.0")


@pytest.fixture
def database_down(monkeypatch):
    """No process knows which version is active; ``undo`` brings the database back."""

    def unreachable(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(Activation, "chain", unreachable)
    return monkeypatch


@pytest.mark.slow  # waits for the database as long as a server does
def test_nothing_answers_before_the_database_says_what(versions, database_down, client):
    serving.cache_clear()
    response = client.get("/api/info")
    assert response.status_code == 503
    assert "the database cannot be asked" in response.json()["detail"]
    database_down.undo()
    assert client.get("/api/info").json()["version"] == "1.2.0"


@pytest.mark.slow  # waits for the database as long as a server does
def test_the_highest_answers_where_the_log_is_not_required(versions, database_down, settings):
    settings.PREDICTION_LOG = "best-effort"
    serving.cache_clear()
    assert serving().active().version == "1.2.0"
    assert "the database cannot be asked" in serving().problem()
    database_down.undo()
    Activation.objects.create(model="arkham", version="1.0.0", by="Alfred")
    assert answering() == "1.0.0"
    assert serving().problem() == ""


def test_mlflow_hears_of_it_from_a_process_of_its_own(monkeypatch):
    started = []
    monkeypatch.setattr("subprocess.Popen", lambda command, **_: started.append(command[1:]))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    announce("arkham", "ab" * 32)
    assert started == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.invalid")
    announce("arkham", "ab" * 32)
    assert started == [["-m", "predictor.registry.tracking", "arkham", "ab" * 32]]


@pytest.mark.slow
def test_a_fresh_database_begins_with_what_the_deployment_names(versions, settings, capsys):
    settings.INITIAL_VERSION, settings.DEFAULT_MODEL = "1.0.0,titanic=2.0.0", "arkham"
    call_command("migrate", verbosity=0)
    assert "arkham 1.0.0 is active, the first" in capsys.readouterr().out
    assert answering() == "1.0.0"
    assert Activation.chain("titanic") == ["2.0.0"], "its files may be elsewhere"
    activate("arkham", "1.2.0", "Alfred")
    settings.INITIAL_VERSION = "arkham=1.1.0"
    call_command("migrate", verbosity=0)
    assert answering() == "1.2.0", "what was activated holds"
    assert roll_back("arkham", "Alfred").version == "1.0.0"


@pytest.mark.parametrize("options", [{"plan": True}, {"app_label": "predictor"}])
def test_what_is_no_whole_migration_begins_with_nothing(versions, settings, options):
    settings.INITIAL_VERSION = "arkham=1.0.0"
    call_command("migrate", verbosity=0, **options)
    assert not Activation.objects.exists()
