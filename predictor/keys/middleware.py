"""Admits requests: checks the key, where one is needed, and the rate, where one is set."""

from functools import partial
from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from predictor.http.errors import DATABASE_AWAY, answer_to, problem_document
from predictor.http.middleware import Handler
from predictor.http.problems import CHALLENGE, is_v2
from predictor.keys.key_ring import InvalidKeyError, KeyRing
from predictor.keys.models import ApiKey
from predictor.keys.rates import ROWS, Rate, Throttle, TooManyRows, parse_rate

_OPEN = "/api/docs"  # the documentation needs no key; its own requests do
_THIS_MACHINE = ("127.0.0.1", "::1")


def admit_callers(get_response: Handler) -> Handler:
    """Pass on requests with a valid key and within the rate; ``request.api_key``: the key, or None.

    The API requires keys. Pages are for people, and only have a rate: for posts and for scoring.
    Views call ``request.count_rows`` with a number of rows before they score them.
    """
    keys, counting = KeyRing(), Counting()
    required = settings.API_KEY_REQUIRED

    def answer(request: HttpRequest) -> HttpResponse:
        path = request.path_info
        api = (path.startswith("/api/") and not path.startswith(_OPEN)) or is_v2(path)
        key: ApiKey | None = None
        if api:
            shown = _shown_key(request.META)
            try:
                key = keys.find(shown) if shown else None
            except InvalidKeyError:
                detail = "this API key is unknown, revoked or expired"
                return counting.without_key(request, detail)
            except DATABASE_AWAY as error:
                return answer_to(error)
            if required and key is None:
                detail = "send an API key as 'Authorization: Api-Key …' or 'X-API-Key: …'"
                return counting.without_key(request, detail)
        elif path.startswith("/admin/"):
            return get_response(request)  # admin has its own login
        counted = api or request.method == "POST"
        request.api_key = key  # type: ignore[attr-defined]
        request.count_rows = partial(  # type: ignore[attr-defined]
            counting.count_rows, request, key, counted=counted
        )
        response = (counting.refusal(request, key) if counted else None) or get_response(request)
        for name, value in getattr(request, "rate_headers", {}).items():
            response.headers[name] = value
        return response

    return answer


class Counting:
    """Counts requests and their rows against the rate of the key or the address."""

    def __init__(self) -> None:
        self._throttle = Throttle()
        self._rate = parse_rate(settings.THROTTLE_RATE) if settings.THROTTLE_RATE else None
        # the default rate is for callers without a key on other machines
        self._spares = settings.THROTTLE_RATE == settings.THROTTLE_BY_DEFAULT

    def refusal(self, request: HttpRequest, key: ApiKey | None = None) -> HttpResponse | None:
        """Count the request, even if it is refused: guessing keys counts too."""
        rate = self._rate_of(request, key)
        left = self._throttle.count(_who(request, key), rate) if rate else None
        if rate is None or left is None:
            return None
        headers = left.headers(rate)
        request.rate_headers = headers  # type: ignore[attr-defined]
        if not left.wait:
            return None
        detail = f"at most {rate}; try again in {left.wait} s"
        return problem_document(429, detail, {"Retry-After": str(left.wait), **headers})

    def without_key(self, request: HttpRequest, detail: str) -> HttpResponse:
        """The refusal of a request without a valid key; it is counted."""
        refusal = self.refusal(request)
        return refusal or problem_document(
            401, detail, {**CHALLENGE, **getattr(request, "rate_headers", {})}
        )

    def count_rows(
        self, request: HttpRequest, key: ApiKey | None, rows: int, *, counted: bool
    ) -> None:
        """Count the rows of a request, minus those of one request if it is ``counted`` already.

        Raises TooManyRows.
        """
        more, rate = -(-rows // ROWS) - counted, self._rate_of(request, key)
        if more <= 0 or rate is None:
            return
        if left := self._throttle.count(_who(request, key), rate, more):
            request.rate_headers = left.headers(rate)  # type: ignore[attr-defined]
            if left.wait:
                raise TooManyRows(rows, rate, left)

    def _rate_of(self, request: HttpRequest, key: ApiKey | None) -> Rate | None:
        if key and key.rate:
            return parse_rate(key.rate)
        if self._spares and (key or request.META.get("REMOTE_ADDR") in _THIS_MACHINE):
            return None
        return self._rate


def _shown_key(meta: dict[str, str]) -> str | None:
    """The key in ``X-API-Key``, with or without ``Api-Key`` before it, or in ``Authorization``."""
    shown = meta.get("HTTP_X_API_KEY", "")
    scheme, _, credentials = (shown or meta.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() == "api-key":
        return credentials.strip()
    return shown or None


def _who(request: HttpRequest, key: ApiKey | None) -> str:
    """The name under which requests are counted: the key, or the address (the /64 of IPv6)."""
    if key is not None:
        return f"key:{key.prefix}"
    address = request.META.get("REMOTE_ADDR", "")
    if ":" in address:
        address = str(ip_network(f"{address}/64", strict=False).network_address)
    return f"address:{address}"
