"""Batcomputer: three pickles of a scikit-learn model in, a REST API, a console and a log out.

This package wires: ``save_model`` for training programs, settings, URLs, the command and the
server process. Importing it imports nothing else, so the smoke test runs on any Python, and
notebooks start fast.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from predictor.artifacts.save import save_model

__all__ = ["save_model"]
__version__ = "1.0.0"  # scripts/release writes it here, in pyproject.toml and elsewhere


def __getattr__(name: str) -> Any:
    """``save_model``, imported at first use."""
    if name == "save_model":
        from predictor.artifacts.save import save_model  # noqa: PLC0415 - see above

        return save_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
