"""The middleware around every view: plain functions, cheap and without state."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network

import orjson
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
)
from django.http.request import split_domain_port

from predictor.http.errors import problem_document
from predictor.http.limits import BODY_BYTES, largest_body
from predictor.http.problems import CONTENT_TYPE, is_for_programs, is_v2

Handler = Callable[[HttpRequest], HttpResponse]

_KNOWN_HOSTS = 100
# Pages need no inline script or style, so nothing here is relaxed.
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; manifest-src 'self'"
    ),
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page_headers(get_response: Handler) -> Handler:
    """Send headers that limit pages in browsers to what they need."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # a file that the browser has cached (304) has no type
        if response.headers.get("Content-Type") != "application/json":
            for name, value in _PAGE_HEADERS.items():
                response.headers[name] = value
        return response

    return answer


def problems_for_programs(get_response: Handler) -> Handler:
    """Give programs a problem document for every error, including those outside views."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code >= 400 and is_for_programs(request.path_info):
            response = _as_problem(request, response)
            if is_v2(request.path_info):
                _say_as_v2(response)
        if not response.streaming:
            if "Content-Length" not in response.headers:
                response.headers["Content-Length"] = str(len(response.content))
            if request.method == "HEAD":  # gunicorn would drop the body, with a warning each time
                response.content = b""
        return response

    return answer


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    code = response.status_code
    if response.get("Content-Type") == CONTENT_TYPE:
        return response
    details = {
        400: "the request's Host is not in ALLOWED_HOSTS, or the request is malformed",
        404: f"there is nothing at {request.path}",
        405: f"{request.method} is not allowed here; the Allow header says what is",
        500: "an unexpected error; it has been logged",
    }
    detail = details.get(code, "the request cannot be answered")
    kept = {name: value for name, value in response.headers.items()
            if not name.startswith("Content-")}  # fmt: skip
    return problem_document(code, detail, kept)


def _say_as_v2(response: HttpResponse) -> None:
    """The problem's sentence in the Open Inference Protocol's error document."""
    response.content = orjson.dumps({"error": orjson.loads(response.content)["detail"]})
    response.headers["Content-Type"] = "application/json"
    response.headers.pop("Content-Length", None)  # it was the problem document's


def body_limit(get_response: Handler) -> Handler:
    """Refuse a body with too large a Content-Length before any of it is read."""

    def answer(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH")
        if not length or not length.isdecimal() or int(length) <= BODY_BYTES:
            return get_response(request)
        limit = largest_body(request.content_type or "")
        if int(length) <= limit:
            return get_response(request)
        detail = f"the body has {length} bytes; send at most {limit:,}"
        return problem_document(413, detail)

    return answer


def known_host(get_response: Handler) -> Handler:
    """Refuse requests for another host: the only part of CommonMiddleware that is needed."""
    known: set[str] = set()  # a cache of allowed hosts

    def answer(request: HttpRequest) -> HttpResponse:
        named = request.META.get("HTTP_HOST", "")
        if named not in known:
            request.get_host()  # raises DisallowedHost, which Django answers with 400
            if len(known) < _KNOWN_HOSTS:
                known.add(named)
        return get_response(request)

    return answer


_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)


def trusted_proxies(get_response: Handler) -> Handler:
    """Take the caller's address and scheme from a proxy in TRUSTED_PROXIES, and from no other.

    The caller is the last address in X-Forwarded-For that is not a trusted proxy; addresses before
    it are only the caller's claim.
    """
    networks = [ip_network(each) for each in settings.TRUSTED_PROXIES]

    @lru_cache(maxsize=1024)
    def trusted(address: str) -> bool:
        return any(ip_address(address) in network for network in networks)

    def answer(request: HttpRequest) -> HttpResponse:
        meta = request.META
        peer = _address(meta.get("REMOTE_ADDR", ""))
        if peer:
            meta["REMOTE_ADDR"] = peer
        if not (networks and peer and trusted(peer)):
            for header in _FORWARDED:
                meta.pop(header, None)
            return get_response(request)
        for hop in reversed(meta.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = _address(hop)
            if address is None:
                break
            meta["REMOTE_ADDR"] = address
            if not trusted(address):
                break
        return get_response(request)

    return answer


@lru_cache(maxsize=1024)
def _address(hop: str) -> str | None:
    """The address of one hop, which some proxies write with a port; None when it is not one.

    A dual-stack socket shows IPv4 as ::ffff:203.0.113.9, which is in no IPv4 network.
    """
    hop = hop.strip()
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        address = ip_address(hop)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def https_pages(get_response: Handler) -> Handler:
    """Redirect browsers from http to https. Programs are not: that would lose the body."""
    if not settings.HTTPS:
        raise MiddlewareNotUsed

    def answer(request: HttpRequest) -> HttpResponse:
        if is_for_programs(request.path_info) or request.is_secure():
            return get_response(request)
        host = request.get_host()
        if split_domain_port(host)[0] in _LOOPBACK:  # the request stays on this machine
            return get_response(request)
        return HttpResponsePermanentRedirect(f"https://{host}{request.get_full_path()}")

    return answer
