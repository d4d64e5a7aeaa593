"""The shared part of all pages: the model, links to other models, and page or JSON responses."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from predictor.predictions.origin import counter_of
from predictor.serving.current import serving

View = Callable[..., HttpResponseBase]


def page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = HTTPStatus.OK
) -> HttpResponse:
    """Render ``template`` with the links to all models and the choice of languages."""
    links = [{"name": name, "title": serving().title(name)} for name in serving().names()]
    around = {"models": links, "languages": settings.LANGUAGES}
    return render(request, template, around | context, status=status)


def for_scripts(view: View) -> View:
    """Mark a view that only the page's scripts call: its errors are problem documents."""
    view.for_scripts = True  # type: ignore[attr-defined]
    return view


def wants_json(request: HttpRequest) -> bool:
    """Whether the request comes from one of the page's scripts; a plain form wants a page."""
    view = getattr(request.resolver_match, "func", None)
    accept = request.headers.get("Accept", "")
    return hasattr(view, "for_scripts") or accept.startswith("application/json")


def scoring(view: View) -> View:
    """Count the scoring of ``view`` against the caller's rate, although it is no prediction."""

    @wraps(view)
    def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        counter_of(request)(1)
        return view(request, *args, **kwargs)

    return counted


def with_model(view: View) -> View:
    """Pass the route's model to ``view``, before the other arguments of the route."""

    @wraps(view)
    def wrapped(request: HttpRequest, name: str = "", **others: Any) -> HttpResponseBase:
        model = serving().active(name)
        request.answered_by = model.version  # type: ignore[attr-defined]
        return view(request, model, **others)

    return wrapped
