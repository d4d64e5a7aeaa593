"""The ``--help`` text of a program: its module's docstring without markup."""

import argparse
import re


def command_line(program: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser for ``python -m program``; ``doc`` is its module's docstring."""
    text = re.sub(r"^``python -m[^`]*``: ", "", doc or "").replace("``", "")
    return argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=text[:1].upper() + text[1:],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
