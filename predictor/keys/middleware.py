"""Lets callers in: their key, where one is needed, and their rate, where one is set."""

from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from predictor.http.errors import DATABASE_AWAY, answer_to, problem_document
from predictor.http.middleware import Handler
from predictor.keys.key_ring import InvalidKeyError, KeyRing
from predictor.keys.models import ApiKey
from predictor.keys.rates import Throttle, parse_rate

_OPEN = "/api/docs"  # the documentation needs no key; its own requests do
_CHALLENGE = {"WWW-Authenticate": 'Api-Key realm="Batcomputer"'}


def admit_callers(get_response: Handler) -> Handler:
    """Answer those who may ask, now; ``request.api_key`` is the key they showed, or None.

    The API asks for keys; pages have people before them, and only their rate is limited.
    """
    keys, throttle = KeyRing(), Throttle()
    required = settings.API_KEY_REQUIRED
    rate = parse_rate(settings.THROTTLE_RATE) if settings.THROTTLE_RATE else None

    def answer(request: HttpRequest) -> HttpResponse:
        path = request.path_info
        api = path.startswith("/api/") and not path.startswith(_OPEN)
        key: ApiKey | None = None
        if api:
            shown = _shown_key(request.META)
            try:
                key = keys.find(shown) if shown else None
            except InvalidKeyError:
                detail = "this API key is unknown, revoked or expired"
                return too_many(request, None) or problem_document(401, detail, _CHALLENGE)
            except DATABASE_AWAY as error:
                return answer_to(error)
            if required and key is None:
                detail = "send an API key as 'Authorization: Api-Key …' or 'X-API-Key: …'"
                return too_many(request, None) or problem_document(401, detail, _CHALLENGE)
        elif request.method != "POST" or path.startswith("/admin/"):
            return get_response(request)  # pages are cheap, admin has its own lock
        request.api_key = key  # type: ignore[attr-defined]
        return too_many(request, key) or get_response(request)

    def too_many(request: HttpRequest, key: ApiKey | None) -> HttpResponse | None:
        """Count the request, also one that is refused: guessing keys is asking, too."""
        allowed = parse_rate(key.rate) if key and key.rate else rate
        wait = throttle.seconds_to_wait(_who(request, key), allowed) if allowed else 0
        if not wait:
            return None
        detail = f"at most {allowed}; ask again in {wait} s"
        return problem_document(429, detail, {"Retry-After": str(wait)})

    return answer


def _shown_key(meta: dict[str, str]) -> str | None:
    """The key in ``X-API-Key`` or ``Authorization: Api-Key …``, or None."""
    if shown := meta.get("HTTP_X_API_KEY"):
        return shown
    scheme, _, credentials = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    return credentials.strip() if scheme.lower() == "api-key" else None


def _who(request: HttpRequest, key: ApiKey | None) -> str:
    """What requests are counted under: the key, or the address (of IPv6 the network, /64)."""
    if key is not None:
        return f"key:{key.prefix}"
    address = request.META.get("REMOTE_ADDR", "")
    if ":" in address:
        address = str(ip_network(f"{address}/64", strict=False).network_address)
    return f"address:{address}"
