"""BASE_PATH: how it is written, and what of an address goes on to the server."""

import pytest

from batcomputer.base_path import base_path, below


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
