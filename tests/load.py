"""Load for tests: clients that send one request after another and remember the responses."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests import bundles


class Load:
    """The results of several clients: ids of the answers, and every other status."""

    def __init__(self, port: int, body: object = bundles.ITEM) -> None:
        self.answered: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.broken: list[str] = []  # connections that ended without a response
        self._port = port
        self._body = json.dumps(body).encode()
        self._end = threading.Event()

    def ask_until_ended(self) -> None:
        """Send requests until the end; a broken connection counts as no response."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        headers = {"Content-Type": "application/json"}
        while not self._end.is_set():
            try:
                connection.request("POST", "/api/predict", self._body, headers)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                if not isinstance(error, ConnectionRefusedError):
                    self.broken.append(repr(error))
                connection.close()
                time.sleep(0.02)
                continue
            if answer.status == 200:
                self.answered.append(answer.headers["X-Prediction-Id"])
            else:
                self.refused.append((answer.status, text))
        connection.close()

    def end(self) -> None:
        self._end.set()


@contextmanager
def load(port: int, clients: int = 8) -> Iterator[Load]:
    """Clients that send requests for as long as the block runs."""
    running = Load(port)
    threads = [threading.Thread(target=running.ask_until_ended) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.end()
        for thread in threads:
            thread.join()
