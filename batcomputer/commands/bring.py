"""``batcomputer bring``: make a version of a fitted estimator and its training data."""

import argparse
import sys
from pathlib import Path

from batcomputer.home import environment
from predictor.artifacts.bringing import add_arguments, bring_files
from predictor.artifacts.errors import ArtifactError
from predictor.artifacts.policy import Policy


def main(arguments: list[str]) -> None:
    """The command line; exit code 1 when the version's answers differ from the estimator's."""
    parser = argparse.ArgumentParser(
        prog="batcomputer bring",
        description="Make a version from a fitted estimator and the data it was fitted on: draft "
        "its description, examine it, and compare its answers to some rows with the estimator's. "
        "MODEL_… in the environment say what is allowed.",
    )
    add_arguments(parser)
    parser.add_argument(
        "--models", type=Path, metavar="MODELS_DIR",
        help="folder of models (default: the setting MODELS_DIR, else ./models)",
    )  # fmt: skip
    options = vars(parser.parse_args(arguments))
    settings = environment()
    models = options["models"] or Path(settings.get("MODELS_DIR") or "models")
    try:
        policy, port = Policy.from_environment(settings), settings.get("PORT", "")
        bring_files(options, models, policy, print, port)
    except (ArtifactError, OSError) as error:
        sys.exit(f"error: {error}")
