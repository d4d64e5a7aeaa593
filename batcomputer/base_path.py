"""A server below a path of its host (BASE_PATH=/bat), whether its proxy strips it or not."""

import re
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._~-]*"
_PATH = re.compile(f"(/{_SEGMENT})+")
# A path that the proxy stripped could not be distinguished from these.
_OWN = {
    "admin", "api", "favicon.ico", "healthz", "language", "manifest.webmanifest", "metrics",
    "offline.js", "openapi.json", "readyz", "robots.txt", "static", "swagger.json", "v2",
}  # fmt: skip


def base_path(text: str) -> str:
    """``text`` as the prefix of every path: ``/bat``, or empty. Raises ValueError."""
    path = f"/{text.strip('/')}" if text.strip("/") else ""
    if path and not _PATH.fullmatch(path):
        raise ValueError(f"{text!r} is no path; write one such as /bat")
    if path and path.split("/")[1] in _OWN:
        raise ValueError(f"{text!r} begins with a path of the server's own; choose another")
    return path


def below(path: str, application: Application) -> Application:
    """``application`` below ``path``: requests may have the path or not; links always have it.

    Probes come directly, not through the proxy, and without it.
    """
    if not path:
        return application

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = environ.get("PATH_INFO", "")
        if asked == path or asked.startswith(f"{path}/"):
            environ["PATH_INFO"] = asked.removeprefix(path) or "/"
        environ["SCRIPT_NAME"] = path
        return application(environ, start_response)

    return answer
