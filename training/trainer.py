"""The command line of all trainers."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from threadpoolctl import threadpool_limits

from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.names import check_name
from predictor.evidence.errors import EvidenceError, RefusedError

from .bundle import Bundle
from .ending import one_sentence
from .figures import FiguresError
from .gate import check, judged
from .origin import origin
from .outcome_groups import UnknownOutcome
from .reproduction import reproduction
from .tracking import ADDRESS, track
from .usage import command_line


def trainer(program: str, description: str) -> argparse.ArgumentParser:
    """The common command line of a trainer, which can add its own options."""
    parser = command_line(program, description)
    parser.add_argument(
        "models",
        nargs="?",
        type=Path,
        default=Path(os.environ.get("MODELS_DIR", "models")),
        help="folder of all models (default: MODELS_DIR, else ./models)",
    )
    parser.add_argument("--version", default="1.0.0", help="default: %(default)s")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; compare with the version that is there",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write the version although a rule stops it; recorded in its metadata",
    )
    parser.add_argument("--reason", default="", help="why; --force needs it")
    return parser


def forced(options: argparse.Namespace) -> dict[str, str]:
    """The person who forces a version past a rule, and the reason; empty without ``--force``.

    Raises EvidenceError when it has no reason.
    """
    if options.force and not options.reason.strip():
        raise EvidenceError("--force needs a --reason, which goes on record")
    return {"by": str(origin().get("by", "")), "reason": options.reason} if options.force else {}


def train_and_write(
    options: argparse.Namespace, name: str, train: Callable[[], Bundle], rules: Path
) -> None:
    """Train, judge and write a version, or with ``--check`` compare with the existing one.

    Prints what was done and how good the model is; a failure ends the program, with status 3 when
    a rule refuses the version.
    """
    started = time.perf_counter()
    with one_sentence(ArtifactError, FiguresError, UnknownOutcome, EvidenceError, RefusedError):
        folder = options.models / name / check_name("version", options.version)
        if folder.exists() and not options.check:
            raise ArtifactError(
                f"{folder} exists already and versions are final; choose another --version"
            )
        with threadpool_limits(1):  # with so little data, threads would only wait for one another
            bundle = train()
            if options.check:
                print(reproduction(bundle, folder))
                return
        for warning in bundle.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        bundle = judged(bundle, rules, forced(options))
        check(bundle.verdict)
        bundle.write(options.models, options.version)
    for what, value in bundle.metadata["metrics"].items():
        print(f"  {what.replace('_', ' ')}: {value}")
    if bundle.verdict is not None:
        print(bundle.verdict)
    if os.environ.get(ADDRESS):
        with one_sentence(ArtifactError):
            print(track(folder.absolute()))
    seconds = time.perf_counter() - started
    print(f"{folder} written in {seconds:.1f} s, {bundle.fit_seconds:.1f} s of it the fit")
