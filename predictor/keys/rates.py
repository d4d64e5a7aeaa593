"""Rates such as ``100/minute``, and the counting of requests against them."""

import logging
import math
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.core.cache import cache
from django.core.exceptions import ValidationError
from rest_framework.exceptions import APIException

logger = logging.getLogger(__name__)

_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_PAUSE = 5.0  # seconds without counting after a cache failure: the next one may take long too
ROWS = 100  # per request: a request with more rows counts as several
_SLACK = 60  # seconds a count outlives its window, so that it never expires within it


class TooManyRows(APIException):
    """The request has more rows than the caller's rate allows now."""

    status_code = 429

    def __init__(self, rows: int, rate: "Rate", left: "Left") -> None:
        self.headers = {"Retry-After": str(left.wait), **left.headers(rate)}
        counted = f"; {rows:,} rows count as {-(-rows // ROWS):,}" if rows > ROWS else ""
        super().__init__(f"at most {rate}{counted}; try again in {left.wait} s")


@dataclass(frozen=True, slots=True)
class Rate:
    """``limit`` requests in every window of ``seconds``; windows start at whole multiples."""

    limit: int
    seconds: int

    def __str__(self) -> str:
        unit = next(name for name, seconds in _SECONDS.items() if seconds == self.seconds)
        return f"{self.limit:,} requests a {unit}"


class Left(NamedTuple):
    """What is left of a rate in this window."""

    requests: int
    seconds: int  # until the next window
    wait: int = 0  # seconds until the caller may ask again

    def headers(self, rate: Rate) -> dict[str, str]:
        """The headers of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"requests";q={rate.limit};w={rate.seconds}',
            "RateLimit": f'"requests";r={self.requests};t={self.seconds}',
        }


@lru_cache(maxsize=256)
def parse_rate(text: str) -> Rate:
    """``100/minute`` as a Rate. Raises ValidationError saying how a rate is written."""
    limit, slash, unit = text.partition("/")
    if not (slash and limit.isascii() and limit.isdecimal() and int(limit) and unit in _SECONDS):
        raise ValidationError(
            f"{text!r} is not a rate; write a number, a slash and second, minute, hour or day, "
            "such as 100/minute"
        )
    return Rate(int(limit), _SECONDS[unit])


def check_rate(text: str) -> None:
    """A Django validator: raises ValidationError when ``text`` is not a rate."""
    parse_rate(text)


class Throttle:
    """Counts in the cache: exact across workers when CACHE_URL names a shared one.

    Without a shared cache every worker counts separately, so a caller may get up to the limit from
    each. When the cache fails, requests are admitted: a limit protects the service, and must not
    end it.
    """

    def __init__(self) -> None:
        self._resume = 0.0

    def count(self, who: str, rate: Rate, requests: int = 1) -> Left | None:
        """Count ``requests`` of ``who``, and return what is left; None while nothing is counted."""
        if time.monotonic() < self._resume:
            return None
        now = time.time()
        window = int(now // rate.seconds)
        try:
            count = _count(
                f"requests:{who}:{rate.limit}/{rate.seconds}:{window}", rate.seconds, requests
            )
        except _failures() as error:
            logger.warning("requests are not counted for %.0f s: %s", _PAUSE, error)
            self._resume = time.monotonic() + _PAUSE
            return None
        seconds = math.ceil((window + 1) * rate.seconds - now)
        return Left(max(rate.limit - count, 0), seconds, seconds if count > rate.limit else 0)


def _failures() -> type[Exception]:
    """The exceptions of an unavailable cache, looked up only when something is raised."""
    # a heavy import, and most servers share no cache (those that do import it in the master)
    from redis.exceptions import RedisError  # noqa: PLC0415

    return RedisError


def _count(key: str, seconds: int, requests: int) -> int:
    """Add ``requests`` to the count under ``key`` in one atomic step."""
    step = () if requests == 1 else (requests,)
    try:
        return int(cache.incr(key, *step))
    except ValueError:  # the window's first request; add does nothing if another worker was faster
        cache.add(key, 0, seconds + _SLACK)
        return int(cache.incr(key, *step))
