"""The ``batcomputer`` command, also ``python -m batcomputer``."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from batcomputer import __version__


class Command(NamedTuple):
    """One of the commands; its module is imported only when it runs."""

    module: str  # of batcomputer.commands
    summary: str
    needs_server: bool = False


COMMANDS = {
    "serve": Command("serve", "serve a folder of models", needs_server=True),
    "bring": Command("bring", "make a version of an estimator and its training data"),
    "verify": Command("verify", "examine a version as the server does"),
    "publish": Command("publish", "copy a version to Azure Blob storage"),
    "manage": Command("manage", "the server's own commands", needs_server=True),
}
_SERVER = ("django", "gevent", "gunicorn")  # of the extra [server]


def usage() -> str:
    """The text of ``--help``."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        ["usage: batcomputer COMMAND …", "", *lines, "", "batcomputer COMMAND --help says more."]
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command that the first argument names."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help", "help"):
        print(usage())
    elif name == "--version":
        print(__version__)
    elif name not in COMMANDS:
        sys.exit(f"error: there is no command {name!r}\n{usage()}")
    else:
        command = COMMANDS[name]
        _check_packages(name, command)
        try:
            import_module(f"batcomputer.commands.{command.module}").main(rest)
        except KeyboardInterrupt:
            sys.exit(130)  # a shell's exit status for Ctrl+C


def _check_packages(name: str, command: Command) -> None:
    missing = [package for package in _SERVER if find_spec(package) is None]
    if command.needs_server and missing:
        sys.exit(
            f"error: batcomputer {name} needs the packages of the server, and {missing[0]} is not "
            "installed: pip install 'batcomputer[server]'"
        )


if __name__ == "__main__":
    main()
