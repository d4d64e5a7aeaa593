"""BASE_PATH: how it is written, and what of an address goes on to the server."""

import pytest
from django.urls import get_resolver

from batcomputer.base_path import base_path, below
from predictor.http.probes import PROBES


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/bat", "/bat"),
        ("bat", "/bat"),
        ("/bat/", "/bat"),
        ("/a/b.c", "/a/b.c"),
    ],
)
def test_it_works(written, path):
    assert base_path(written) == path


@pytest.mark.parametrize(
    "written",
    ["/a b", "//", "/a//b", "/../x", "https://bat.example", "/ü", "/api", "/admin/x", "?"],
)
def test_it_rejects(written):
    if not written.strip("/"):
        assert base_path(written) == ""
        return
    with pytest.raises(ValueError, match=r"no path|own"):
        base_path(written)


def test_it_rejects_every_path_of_the_servers_own():
    """If a proxy strips the base path, the rest could not be distinguished from these."""
    included = (part.url_patterns for part in get_resolver().url_patterns if not str(part.pattern))
    routes = [str(route.pattern) for routes in included for route in routes]
    own = {route.partition("/")[0] for route in routes if route and not route.startswith("<")}
    own |= {path.split("/")[1] for path in PROBES} | {"admin", "static"}
    assert own > {"v2", "swagger.json", "metrics", "language"}
    for path in own:
        with pytest.raises(ValueError, match="own"):
            base_path(f"/{path}")
        with pytest.raises(ValueError, match="own"):
            base_path(f"/{path}/x")
        assert base_path(f"/{path}-x") == f"/{path}-x"


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ("/bat/api/predict", "/api/predict"),
        ("/bat/", "/"),
        ("/bat", "/"),
        ("/api/predict", "/api/predict"),  # the proxy took it off, or a probe came past it
        ("/batman/", "/batman/"),
        ("/bat/bat/", "/bat/"),
    ],
)
def test_a_path_is_understood_with_it_and_without(asked, passed):
    seen = {}
    application = below("/bat", lambda environ, start: seen.update(environ) or [])
    application({"PATH_INFO": asked}, None)
    assert seen == {"PATH_INFO": passed, "SCRIPT_NAME": "/bat"}
