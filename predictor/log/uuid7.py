"""Identifiers that sort by time: UUID version 7 (RFC 9562, section 5.7)."""

import io
import os
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last = 0
_STEP = 10_000 << 12  # ten seconds, in the unit of _last: 1/4096 ms
_PAGE = 4096  # bytes
_random = io.BytesIO()  # from the system, a page at a time, since system calls are slow

# a forked process must not reuse its parent's random bytes
os.register_at_fork(after_in_child=lambda: _random.seek(0, os.SEEK_END))


def uuid7() -> UUID:
    """A UUIDv7. Those of one process strictly increase, even if its clock is set back a little.

    A step back of more than _STEP is believed: the clock was wrong before, and the process would
    otherwise record times in the future until it ends.

    Milliseconds fill the first 48 bits and the fraction of the millisecond the 12 bits after
    the version (method 3 of section 6.2), so that order holds within a millisecond too.
    """
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[UUID]:
    """The next ``count`` UUIDv7s, made at once."""
    global _last  # noqa: PLW0603 - one clock per process is the point
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    tick = (milliseconds << 12) | (rest * 4096 // 1_000_000)
    with _lock:
        if tick + _STEP > _last:
            tick = max(tick, _last + 1)
        _last = tick + count - 1
    drawn = struct.unpack(f">{count}Q", random_bytes(8 * count))
    return [_made(tick + place, random) for place, random in enumerate(drawn)]


def _made(tick: int, random: int) -> UUID:
    """Uses the first 62 of the 64 bits of ``random``."""
    return UUID(
        int=(tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | random >> 2
    )


def following(identity: UUID, place: int, secret: bytes) -> UUID:
    """The UUIDv7 ``place`` clock steps (1/4096 ms) later; always the same one.

    Its random part is a hash of ``identity``, keyed with ``secret`` (at most 64 bytes): samples of
    the log use its last digits, and a person who has one id must not be able to derive the others.
    """
    if not place:
        return identity
    tick = ((identity.int >> 80) << 12 | (identity.int >> 64 & 0xFFF)) + place
    said = identity.bytes + place.to_bytes(8)
    drawn = blake2b(said, digest_size=8, key=secret).digest()
    return _made(tick, int.from_bytes(drawn))


def random_bytes(count: int) -> bytes:
    """``count`` random bytes from the system, each handed out once."""
    if count > _PAGE:
        return os.urandom(count)
    with _lock:
        drawn = _random.read(count)
        if len(drawn) == count:
            return drawn
        _random.seek(0)
        _random.write(os.urandom(_PAGE))
        _random.seek(0)
        return _random.read(count)


def time_of(identity: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)


def first_at(moment: datetime) -> UUID:
    """The lowest UUIDv7 of that millisecond: ids made from then on are not below it.

    Before 1970, which no id can be, the lowest of all.
    """
    milliseconds = max(moment - EPOCH, timedelta()) // timedelta(milliseconds=1)  # exact, no float
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
