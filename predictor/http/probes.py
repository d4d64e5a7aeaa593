"""The endpoints for monitoring: ``/healthz``, ``/readyz`` and ``/metrics``.

The first two also under the names in the Open Inference Protocol.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import ResolverMatch

from predictor.artifacts.confinement import means
from predictor.http.errors import Problem, answer_to, problem_document
from predictor.http.exposition import metrics
from predictor.http.middleware import Handler
from predictor.http.problems import headers_of, problem
from predictor.log import writer
from predictor.serving.current import WARM, serving


def probes(get_response: Handler) -> Handler:
    """Answer probes before all other layers: they come by IP address, over plain HTTP, and often.

    ``/metrics`` is refused through a proxy: Prometheus asks the process itself.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        view = PROBES.get(request.path_info)
        if view is None:
            return get_response(request)
        # counted as separate routes: frequent probes would hide the callers' figures
        route = request.path_info.removeprefix("/")
        request.resolver_match = ResolverMatch(view, (), {}, route=route)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if view is metrics and "HTTP_X_FORWARDED_FOR" in request.META:
            return problem_document(
                404, "metrics are only for monitoring, which asks without a proxy"
            )
        try:
            return view(request)
        except Exception as error:  # noqa: BLE001 - answer_to raises unknown errors again
            return answer_to(error)

    return answer


def healthz(request: HttpRequest) -> JsonResponse:
    """The process is alive."""
    return JsonResponse({"status": "alive"})


def readyz(request: HttpRequest) -> HttpResponse:
    """The needed models can answer, and the database or the spool can record a prediction.

    The database may be down: predictions are still answered, and must reach this process.
    """
    needed = serving().needed()
    states = {name: serving().state(name) for name in needed or serving().names()}
    models = {name: state.name for name, state in states.items()}
    parts = _parts() | {"models": models, "confinement": ", ".join(means())}
    is_warm = [state == WARM for state in models.values()]
    if not models:
        return _not_ready("no model is installed", parts)
    if not (all(is_warm) if needed else any(is_warm)):
        waiting = [
            f"{name} is {state.name}" + (f" ({state.reason})" if state.reason else "")
            for name, state in states.items()
            if state.name != WARM
        ]
        return _not_ready(f"not every model can be asked: {', '.join(waiting)}", parts)
    if not writer.can_record():
        return _not_ready("neither the database nor the spool takes a prediction's row", parts)
    return JsonResponse({"status": "ready", **parts})


def _not_ready(detail: str, parts: dict[str, Any]) -> HttpResponse:
    """The problem document, with the state of each part."""
    return Problem(503, problem(503, detail) | parts, headers_of(503)).response()


def _parts() -> dict[str, str]:
    if not writer.is_kept():
        return {"database": "not needed", "spool": "not needed"}
    database, spool = writer.condition()
    return {
        "database": "up" if database else "down",
        "spool": "writable" if spool else "not writable",
    }


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
    "/v2/health/live": healthz,
    "/v2/health/ready": readyz,
}
