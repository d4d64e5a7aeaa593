"""``python -m training.judge CASES --rules RULES``: judge a model by its answers.

CASES is the ``cases.csv`` of a version, or any CSV of cases with known outcomes when ``--model``
names the folder of a version that scores them. Exits with 0 when the model passed, 3 when a rule
refuses it, 1 when it could not be judged.
"""

import json
import sys
from pathlib import Path

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.files import CASES
from predictor.artifacts.version import load_version
from predictor.evidence.answers import answers_of, names_in
from predictor.evidence.cases import TWIN, read_cases
from predictor.evidence.errors import EvidenceError, RefusedError
from predictor.evidence.judging import PUBLISHED, judge
from predictor.evidence.rules import read_rules
from predictor.evidence.verdict import Result, Verdict

from .ending import one_sentence
from .usage import command_line

STATUS = {Result.PASSED: 0, Result.REFUSED: RefusedError.status, Result.NOT_JUDGED: 1}


def judged(cases_path: Path, rules_path: Path, version: Path | None = None) -> Verdict:
    """The verdict on the model whose answers the cases hold, or on the one in ``version``.

    A twin's answers count in the version's own cases; in others they may be another model's.
    Raises EvidenceError when no verdict is possible, ArtifactError when the version cannot be
    loaded.
    """
    data, rules = cases_path.read_bytes(), read_rules(rules_path.read_bytes())
    if version is None:
        return judge(read_cases(data, *names_in(data)), data, rules)
    model = load_version(version)
    names = [feature.name for feature in model.contract.features]
    cases = read_cases(data, names, model.contract.flag_names)
    if cases_path.resolve() != (version / CASES).resolve():
        cases = cases.without_scores(TWIN)
    return judge(cases.with_scores(PUBLISHED, answers_of(model, cases)), data, rules)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = command_line("training.judge", __doc__)
    parser.add_argument("cases", type=Path, help="such as models/crime/1.1.0/cases.csv")
    parser.add_argument("--rules", type=Path, required=True, help="training/rules/crime.toml")
    parser.add_argument("--model", type=Path, help="folder of the version to ask")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    with one_sentence(EvidenceError, ArtifactError):
        verdict = judged(options.cases, options.rules, options.model)
    print(json.dumps(verdict.as_json(), indent=2) if options.json else verdict)
    sys.exit(STATUS[verdict.result])


if __name__ == "__main__":
    main()
