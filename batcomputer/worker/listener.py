"""A listening socket that closes without resetting a client."""

import array
import contextlib
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gevent.server import StreamServer

_AT_A_TIME = 4  # clients that a busy worker accepts at a time
_SO_ATTACH_FILTER = 26  # on Linux; Python's socket module has no name for it


class Listener(StreamServer):
    """A listening socket that leaves no client in its queue when it closes."""

    @property
    def max_accept(self) -> int:
        """The number of clients to accept at a time.

        One while the worker has none, so that other workers get some; more when it has some, since
        all of these get a turn before the next accept.
        """
        return max(1, min(len(self.pool or ()), _AT_A_TIME))

    def close(self) -> None:
        """Accept the clients in the queue, then close: closing alone would reset them."""
        if not self.closed and self.ends_with_the_service():
            _drop_newcomers(self.socket)
        while not self.closed and (waiting := self.do_read()):
            self.do_handle(*waiting)
        super().close()

    def ends_with_the_service(self) -> bool:
        """Whether gunicorn's master has closed the socket: then the whole service ends."""
        own = os.fstat(self.socket.fileno())
        try:
            files = list(Path(f"/proc/{os.getppid()}/fd").iterdir())
        except OSError:  # no /proc: assume not
            return False
        for file in files:
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.path.samestat(own, file.stat()):
                    return False
        return True


def _drop_newcomers(listening: Any) -> None:
    """Refuse new connections; clients in the queue can still be accepted.

    A client that connects between the last accept and the close would be reset by the close.
    A filter that drops every packet makes it try again, and then the closed socket refuses it.
    https://www.kernel.org/doc/html/latest/networking/filter.html
    """
    drop = array.array("B", struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("HP", 1, drop.buffer_info()[0])
    with contextlib.suppress(OSError):  # not on this system: for a moment, a client may be reset
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


@dataclass(frozen=True)
class Named:
    """A listening socket's name: gunicorn needs it even after the socket is closed."""

    name: Any

    def getsockname(self) -> Any:
        return self.name
