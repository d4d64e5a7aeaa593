"""The whole way of a bad candidate and of a good one: training, publication, activation."""

import json
import shutil
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import read_metadata
from predictor.evidence.cases import Cases, write_cases
from predictor.models import Activation, Prediction, Trial, Verdict
from predictor.registry import RegistryError, find_version
from predictor.registry.local import LocalRegistry
from predictor.serving.activation import ActivationError, activate
from predictor.serving.loading import load_beside
from tests import bundles
from training import judge, publish
from training.bundle import Bundle
from training.trainer import train_and_write, trainer

RULES = """
[judge]
cluster = "city"
fewest_clusters = 3

[better_than.constant]
at_least = 0.001
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def cases(*, good=True):
    """Twenty-four groups in which the estimator is right, or says the opposite."""
    estimator = bundles.fitted()
    codes = [(c, v, h) for c in range(3) for v in range(4) for h in (3, 20)]
    shares = estimator.predict_proba(np.array(codes, dtype=float))
    happened = shares if good else shares[:, ::-1]
    villains = list(bundles.LOOKUP["villain"])
    return Cases(
        features=("city", "villain", "hour"),
        flags=tuple(bundles.FLAGS),
        rows=[(bundles.CITIES[c], villains[v], str(h)) for c, v, h in codes],
        counts=[tuple(float(round(100 * share)) for share in row) for row in happened],
        scores={"twin": [tuple(row) for row in shares.tolist()]},
    )


def train(models, rules, version, *options, good=True):
    bundle = Bundle(
        name="arkham",
        estimator=bundles.fitted(),
        lookup=bundles.LOOKUP,
        flags=bundles.FLAGS,
        metadata={**bundles.METADATA, "metrics": {"rows": 200}},
        cases=cases(good=good),
    )
    parsed = trainer("training.arkham", "Train Arkham.")
    parsed = parsed.parse_args([str(models), "--version", version, *options])
    train_and_write(parsed, "arkham", lambda: bundle, rules)
    return models / "arkham" / version


BY_FORCE = ("--force", "--reason", "to show that it is bad")


@pytest.mark.slow
def test_a_bad_candidate_is_refused_everywhere(models_dir, rules, capsys, client):
    with pytest.raises(SystemExit) as stop:
        train(models_dir, rules, "1.1.0", good=False)
    assert stop.value.code == 3
    assert "refused    better than constant" in capsys.readouterr().err
    assert not (models_dir / "arkham").exists()

    folder = train(models_dir, rules, "1.1.0", *BY_FORCE, good=False)
    verdict = read_metadata(folder)["verdict"]
    assert verdict["result"] == "refused"
    assert verdict["forced"]["reason"] == "to show that it is bad"
    shown = client.get("/arkham/card").content.decode()
    assert "written by force" in shown
    assert f"{verdict['forced']['by']}: to show that it is bad" in shown
    metadata = client.get("/api/models/arkham/info").json()["metadata"]
    assert metadata["verdict"]["forced"] == verdict["forced"]

    with pytest.raises(SystemExit) as stop:
        judge.main([str(folder / "cases.csv"), "--rules", str(rules)])
    assert stop.value.code == 3
    with pytest.raises(SystemExit) as stop:
        publish.main([str(folder)])
    assert stop.value.code == 3
    assert "1.1.0 is not published: refused by better than constant" in capsys.readouterr().err
    with pytest.raises(CommandError, match="is not published: refused by") as refusal:
        call_command("publish_model", "arkham", "1.1.0")
    assert refusal.value.returncode == 3

    train(models_dir, rules, "1.0.0")
    with pytest.raises(ActivationError, match="its rules refuse it: better than constant"):
        activate("arkham", "1.1.0", "Alfred")
    assert Activation.objects.get().refused
    registry = LocalRegistry(models_dir)
    assert find_version(registry, "arkham", "latest") == "1.0.0"

    activate("arkham", "1.0.0", "Alfred")
    with pytest.raises(CommandError, match="is not tried, because its rules refuse it"):
        # as pipelines/promote.yml does, whose step ends with the command's status
        call_command("try_model", "arkham", "1.1.0", "--share", "5", "--by", "a pipeline")
    assert not Trial.objects.exists()

    with pytest.raises(ActivationError, match="say why"):
        activate("arkham", "1.1.0", "Alfred", force=True)
    done = activate("arkham", "1.1.0", "Alfred", "a drill", force=True)
    assert done.reason == "by force (its rules refuse it: better than constant): a drill"


def test_a_good_candidate_is_signed_with_its_verdict_and_activated(
    models_dir, rules, settings, capsys, tmp_path
):
    settings.REQUIRE_VERDICT = True
    train(models_dir, rules, "1.0.0")
    folder = train(models_dir, rules, "1.1.0")
    assert "verdict: passed" in capsys.readouterr().out
    metadata = read_metadata(folder)
    assert metadata["verdict"]["result"] == "passed"
    assert metadata["files"]["cases.csv"]["size"] == (folder / "cases.csv").stat().st_size
    assert metadata["slices"][0]["n"] > 0
    call_command("sign_model", str(folder), key=tmp_path / "key.pem", new_key=True)
    settings.MODEL_PUBLIC_KEY = capsys.readouterr().out.split()[0].partition("=")[2]
    with pytest.raises(ActivationError, match="it is not signed"):
        activate("arkham", "1.0.0", "Alfred")
    assert activate("arkham", "latest", "Alfred").version == "1.1.0"

    # the signature covers the verdict
    metadata["verdict"]["checks"] = []
    (folder / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(
        ArtifactError, match=r"metadata\.json.* changed after the version was signed"
    ):
        load_beside(folder, chosen=True)


def test_force_needs_a_reason(models_dir, rules):
    with pytest.raises(SystemExit, match="--force needs a --reason"):
        train(models_dir, rules, "1.1.0", "--force", good=False)


def test_without_a_verdict_it_is_warned_of_or_refused(arkham, settings):
    said = StringIO()
    call_command("activate_model", "arkham", "1.0.0", stdout=StringIO(), stderr=said)
    assert "carries no verdict" in said.getvalue()
    bundles.install(arkham.parent.parent, version="1.1.0")
    settings.REQUIRE_VERDICT = True
    with pytest.raises(ActivationError, match="REQUIRE_VERDICT is set, and carries no verdict"):
        activate("arkham", "1.1.0", "Alfred")


def test_a_version_is_judged_later_on_other_cases(arkham, rules, tmp_path, settings):
    settings.REQUIRE_VERDICT = True
    with pytest.raises(CommandError, match=r"has no cases\.csv: name a file with --cases"):
        call_command("judge_model", "arkham", "1.0.0")
    for good, code, result in ((False, 3, "refused"), (True, 0, "passed")):
        path = tmp_path / f"{result}.csv"
        path.write_bytes(write_cases(cases(good=good)))
        asked = ("judge_model", "arkham", "1.0.0", "--cases", str(path), "--rules", str(rules))
        if code:
            with pytest.raises(SystemExit) as stop:
                call_command(*asked, stdout=StringIO())
            assert stop.value.code == code
            with pytest.raises(ActivationError, match="its rules refuse it"):
                activate("arkham", "1.0.0", "Alfred")
        else:
            call_command(*asked, stdout=StringIO())
        newest = Verdict.objects.first()
        assert (newest.result, newest.found["judged"]) == (result, "published")
    assert activate("arkham", "1.0.0", "Alfred").version == "1.0.0"


@pytest.mark.slow
def test_it_is_judged_beside_the_one_that_answers(models_dir, rules):
    rules.write_text(RULES + "[against_active]\nmargin = 0.0005\n")
    train(models_dir, rules, "1.0.0")
    train(models_dir, rules, "1.1.0")
    activate("arkham", "1.0.0", "Alfred")
    said = StringIO()
    call_command("judge_model", "arkham", "1.1.0", "--against", "active", stdout=said)
    assert "not judged not worse than 1.0.0: limit -0.0005, 1.0.0 does not say" in said.getvalue()


def test_latest_is_the_newest_that_passed_by_time(models_dir):
    def install(version, day, result):
        metadata = {**bundles.METADATA, "created": f"2026-01-{day:02}T00:00:00+00:00"}
        if result:
            metadata["verdict"] = {"result": result}
        bundles.install(models_dir, version=version, metadata=metadata)

    registry = LocalRegistry(models_dir)
    install("3.0.0", 1, None)
    assert find_version(registry, "arkham", "latest") == "3.0.0"
    install("2.0.0", 3, "passed")
    install("1.0.0", 5, "passed")
    install("4.0.0", 9, "refused")
    assert find_version(registry, "arkham", "latest") == "1.0.0"


def test_nothing_is_latest_when_all_were_refused(models_dir):
    bundles.install(models_dir, metadata={**bundles.METADATA, "verdict": {"result": "refused"}})
    with pytest.raises(RegistryError, match="no version of arkham that passed its rules"):
        find_version(LocalRegistry(models_dir), "arkham", "latest")


@pytest.mark.slow
def test_the_admin_shows_the_verdict_and_obeys_it(models_dir, rules, admin_client):
    train(models_dir, rules, "1.0.0")
    train(models_dir, rules, "1.1.0", *BY_FORCE, good=False)
    activate("arkham", "1.0.0", "Alfred")
    address = "/admin/predictor/activation/arkham/1.1.0/compare/"
    page = admin_client.get(address).content.decode()
    assert "Verdict: refused, written by force of" in page
    assert "its rules refuse it: better than constant" in page
    said = admin_client.post(address, {"reason": "why not"}, follow=True).content.decode()
    assert "was not activated, because its rules refuse it" in said
    said = admin_client.post(address, {"reason": "a drill", "force": "on"}, follow=True)
    assert "Activated arkham 1.1.0" in said.content.decode()


@pytest.mark.slow
def test_the_admin_shows_the_newest_verdict_beside_the_first(
    models_dir, rules, tmp_path, admin_client
):
    train(models_dir, rules, "1.0.0")
    path = tmp_path / "theirs.csv"
    path.write_bytes(write_cases(cases(good=False)))
    with pytest.raises(SystemExit):
        call_command("judge_model", "arkham", "1.0.0", cases=path, rules=rules, stdout=StringIO())
    page = admin_client.get("/admin/predictor/activation/arkham/1.0.0/compare/").content.decode()
    newest, first = (page.index(f"Verdict: {each} (") for each in ("refused", "passed"))
    assert newest < first
    assert f"by {Verdict.objects.get().by}; this one counts)" in page
    assert "Verdict: passed (at training)" in page


@pytest.mark.slow
def test_a_logged_answer_says_where_its_version_comes_from(models_dir, rules, client, admin_client):
    folder = train(models_dir, rules, "1.0.0")
    asked = {"city": "Gotham", "villain": "Joker", "hour": 3}
    answer = client.post("/api/models/arkham/predict", asked, content_type="application/json")
    assert answer.status_code == 200
    row = Prediction.objects.get()
    address = f"/admin/predictor/prediction/{row.pk}/change/"
    origin = read_metadata(folder)["origin"]
    assert origin["code_sha256"] in admin_client.get(address).content.decode()
    info = client.get("/api/models/arkham/info").json()
    assert info["metadata"]["origin"] == origin
    assert origin["code_sha256"] in client.get("/arkham/card").content.decode()
    compare = "/admin/predictor/activation/arkham/1.0.0/compare/"
    assert origin["code_sha256"] in admin_client.get(compare).content.decode()

    (folder / "metadata.json").write_text("{}")
    assert "other files have its name now" in admin_client.get(address).content.decode()
    shutil.rmtree(folder)
    assert "its files are no longer here" in admin_client.get(address).content.decode()


def test_answers_in_cases_by_hand_are_not_the_models(models_dir, rules, tmp_path, capsys):
    folder = train(models_dir, rules, "1.0.0", *BY_FORCE, good=False)
    path = tmp_path / "theirs.csv"
    happened = cases(good=False)
    right = [(one / 100, other / 100) for one, other in happened.counts]
    path.write_bytes(write_cases(happened.with_scores("twin", right)))
    for given, judged in ((path, "published"), (folder / "cases.csv", "twin")):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            judge.main([str(given), "--rules", str(rules), "--model", str(folder), "--json"])
        assert stop.value.code == 3
        assert json.loads(capsys.readouterr().out)["judged"] == judged


def test_cases_of_anybody_are_judged_by_a_model_that_is_named(models_dir, rules, tmp_path, capsys):
    folder = train(models_dir, rules, "1.0.0")
    path = tmp_path / "theirs.csv"
    path.write_text("city,villain,hour,outcome\n" + "Gotham,Joker,3,escapes\n" * 9)
    with pytest.raises(SystemExit, match="name the model too"):
        judge.main([str(path), "--rules", str(rules)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        judge.main([str(path), "--rules", str(rules), "--model", str(folder), "--json"])
    assert stop.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["result"], found["judged"]) == ("not judged", "published")
