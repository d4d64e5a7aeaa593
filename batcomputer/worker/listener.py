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

_AT_A_TIME = 4  # clients that a busy worker takes in
_SO_ATTACH_FILTER = 26  # Linux's; Python's socket module does not name it


class Listener(StreamServer):
    """A listening socket that leaves no client in its queue when it closes."""

    @property
    def max_accept(self) -> int:
        """How many clients are taken in at a time.

        One while there is none, so that other workers have theirs; where there are some, a turn of
        all of them goes by before the next is taken in, and so more are.
        """
        return max(1, min(len(self.pool or ()), _AT_A_TIME))

    def close(self) -> None:
        """Take in who is connected already: closing would reset them, request and all."""
        if not self.closed and self.ends_with_the_service():
            _drop_newcomers(self.socket)
        while not self.closed and (waiting := self.do_read()):
            self.do_handle(*waiting)
        super().close()

    def ends_with_the_service(self) -> bool:
        """Whether gunicorn's master has closed the socket: then not only this worker ends."""
        own = os.fstat(self.socket.fileno())
        try:
            files = list(Path(f"/proc/{os.getppid()}/fd").iterdir())
        except OSError:  # no /proc: better not
            return False
        for file in files:
            with contextlib.suppress(OSError):  # it was closed meanwhile
                if os.path.samestat(own, file.stat()):
                    return False
        return True


def _drop_newcomers(listening: Any) -> None:
    """From now on no client is connected any more; those who are can still be taken in.

    A client that connects between the last accept and the close would be reset by the close.
    A filter that lets no packet through makes it try again, and the closed socket refuses it.
    https://www.kernel.org/doc/html/latest/networking/filter.html
    """
    drop = array.array("B", struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("HP", 1, drop.buffer_info()[0])
    with contextlib.suppress(OSError):  # not on this system: a moment in which one may be reset
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


@dataclass(frozen=True)
class Named:
    """A listening socket's name: gunicorn asks for it even when the socket is closed already."""

    name: Any

    def getsockname(self) -> Any:
        return self.name
