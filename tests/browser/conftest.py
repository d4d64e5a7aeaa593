"""A real server, a real browser, and pages that must stay free of errors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import bundles
from tests.browser import models
from tests.servers import Batcomputer, batcomputer, chromium, wait_until_ready

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--font-render-hinting=none",  # letters as wide as in a browser with windows
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batcomputer]:
    """The server as in production, with models of many shapes."""
    folder = tmp_path_factory.mktemp("site")
    bundles.install(folder / "models")
    models.install_all(folder / "models")
    with batcomputer(folder, folder / "models", WEB_CONCURRENCY="1") as server:
        for name in models.NAMES:  # the first visit to a model examines, loads and wakes it
            wait_until_ready(f"{server.url}/{name}/", server.process, server.log)
        yield server


@pytest.fixture(scope="package")  # its event loop would block database access in other tests
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@dataclass
class Watch:
    """The errors on a page; ``allowed`` has parts of messages that a test provokes."""

    origin: str
    allowed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("dialog", lambda dialog: self._note(f"a dialog: {dialog.message}"))
        page.on("console", lambda m: self._note(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", lambda request: self._request(request.url))

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.netloc != self.origin:
            self.faults.append(f"a request to {url}")

    def _note(self, message: str) -> None:
        if not any(part in message for part in self.allowed):
            self.faults.append(message)


@pytest.fixture
def watch(site: Batcomputer) -> Iterator[Watch]:
    """Fails the test on a console error, a page error or a request to another origin."""
    watching = Watch(urlsplit(site.url).netloc)
    yield watching
    assert watching.faults == []


@pytest.fixture
def visit(site: Batcomputer, browser: Browser, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open a path of the site in a fresh browser context with these options."""
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/", width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        page.goto(site.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
