"""What ``--help`` says of a program: the words of its module, without their markup."""

import argparse
import re


def command_line(program: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser for ``python -m program``; ``doc`` is its module's own description."""
    text = re.sub(r"^``python -m[^`]*``: ", "", doc or "").replace("``", "")
    return argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=text[:1].upper() + text[1:],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
