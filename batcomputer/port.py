"""Where the server listens, and whether it can: asked before any work (``-m batcomputer.port``)."""

import socket
import sys
from errno import EADDRINUSE

from batcomputer.home import environment


class CannotListen(RuntimeError):
    """The server cannot listen there; the message is one sentence with what to do."""


class PortTaken(CannotListen):
    """Another program listens there, perhaps one that is about to end."""


def address() -> tuple[str, str]:
    """Host and port, as HOST and PORT say; an address of IPv6 ([::] takes IPv4 too) in brackets."""
    # an empty one is none: gunicorn would listen on all addresses
    host = environment().get("HOST", "").strip() or "127.0.0.1"
    port = environment().get("PORT", "").strip() or "8000"
    return f"[{host.strip('[]')}]" if ":" in host else host, port


def check_address() -> None:
    """Raise CannotListen where gunicorn could not listen, PortTaken where it may a bit later."""
    host, port = address()
    if not (port.isdecimal() and 0 < int(port) < 2**16):
        raise CannotListen(f"PORT is {port!r}; it must be a number from 1 to 65535")
    try:
        # a name as gunicorn takes it: of IPv4 unless it looks like an address of IPv6
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
    except OSError as error:
        if error.errno == EADDRINUSE:
            raise PortTaken(
                f"port {port} of {host} is taken by another program; end that, or set PORT to "
                "a free one"
            ) from None
        raise CannotListen(
            f"the server cannot listen on port {port} of {host}: {error.strerror}; "
            "check HOST and PORT"
        ) from None


def main() -> None:
    """End with the sentence when the server could not listen."""
    try:
        check_address()
    except CannotListen as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
