"""``batcomputer verify``: what a version contains, and whether it may be served."""

import argparse
import sys
from pathlib import Path

from batcomputer.home import environment
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.policy import Policy
from predictor.artifacts.report_text import progress, report_lines
from predictor.artifacts.version import verify


def main(arguments: list[str]) -> None:
    """The command line; exit code 1 when a version is refused."""
    parser = argparse.ArgumentParser(
        prog="batcomputer verify",
        description="Examine versions in a process with limits, as the server does before it "
        "serves them. MODEL_… in the environment or .env say what is allowed.",
    )
    parser.add_argument(
        "versions", nargs="+", type=Path, metavar="FOLDER", help="such as models/iris/1.0.0"
    )
    folders = [folder.absolute() for folder in parser.parse_args(arguments).versions]
    try:
        policy = Policy.from_environment(environment())
    except ArtifactError as error:
        sys.exit(f"error: {error}")
    reports = progress((verify(folder, policy) for folder in folders), len(folders))
    accepted = True
    for folder, report in zip(folders, reports, strict=True):
        print(report_lines(folder, report))
        accepted &= report.accepted
    sys.exit(0 if accepted else 1)
