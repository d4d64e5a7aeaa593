"""Where the server listens, and whether it can, before any work (``-m batcomputer.port``)."""

import socket
import sys
from errno import EADDRINUSE

from batcomputer.home import environment


class CannotListen(RuntimeError):
    """The server cannot listen there; the message is one sentence with what to do."""


class PortTaken(CannotListen):
    """Another program listens there, though it may be about to end."""


def address() -> tuple[str, str]:
    """Host and port from HOST and PORT; an IPv6 address ([::] accepts IPv4 too) in brackets."""
    # empty counts as not set: gunicorn would listen on all addresses
    host = environment().get("HOST", "").strip() or "127.0.0.1"
    port = environment().get("PORT", "").strip() or "8000"
    return f"[{host.strip('[]')}]" if ":" in host else host, port


def check_address() -> None:
    """Raise CannotListen if gunicorn could not listen, PortTaken if it may be able to soon."""
    host, port = address()
    if not (port.isdecimal() and 0 < int(port) < 2**16):
        raise CannotListen(f"PORT is {port!r}; it must be a number from 1 to 65535")
    try:
        # like gunicorn: IPv4 unless the name looks like an IPv6 address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
    except OSError as error:
        if error.errno == EADDRINUSE:
            raise PortTaken(
                f"port {port} of {host} is in use by another program; stop that, or set PORT to "
                "a free one"
            ) from None
        raise CannotListen(
            f"the server cannot listen on port {port} of {host}: {error.strerror}; "
            "check HOST and PORT"
        ) from None


def main() -> None:
    """End with the error when the server could not listen."""
    try:
        check_address()
    except CannotListen as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
