"""Batcomputer: three pickles of a scikit-learn model in, a REST API, a console and a log out.

This package wires: ``save_model`` for those who train, settings, URLs, the command and the server
process. Importing it imports nothing else: the smoke test runs on any Python, a notebook waits for
nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from predictor.artifacts.save import save_model

__all__ = ["save_model"]
__version__ = "1.0.0"  # scripts/release writes it here, in pyproject.toml and wherever else it is


def __getattr__(name: str) -> Any:
    """``save_model``, imported when it is asked for."""
    if name == "save_model":
        from predictor.artifacts.save import save_model  # noqa: PLC0415 - see above

        return save_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
