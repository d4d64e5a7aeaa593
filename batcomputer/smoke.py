"""Check every endpoint of a deployed Batcomputer once: ``python -m batcomputer.smoke URL``.

Standard library only, so that it runs in the image, in a pipeline and on any machine with Python.
Prints a line per check; the exit code is 0 when every answer was right, 1 otherwise. A service that
requires an API key gets the one in SMOKE_API_KEY.
"""

import argparse
import os
import sys
import time

from batcomputer.smoke_checks import Service, Wrong, checks

_IN_A_ROW = 5  # answers of /readyz


def main(arguments: list[str] | None = None) -> int:
    """Run every check and print its result."""
    options = _options().parse_args(arguments)
    key = os.environ.get("SMOKE_API_KEY", "")
    service = Service(options.url.rstrip("/"), key, options.behind_tls)
    if not _ready(service, options.wait):
        return 1
    failures = 0
    for name, check in checks(service, dict(options.expect)):
        started = time.perf_counter()
        try:
            found = check()
        except Wrong as wrong:
            failures += 1
            print(f"FAILED  {name}: {wrong}")
        except (LookupError, TypeError, AttributeError) as error:
            failures += 1
            print(f"FAILED  {name}: the answer has the wrong shape: {error!r}")
        else:
            print(f"ok      {name}: {found} ({(time.perf_counter() - started) * 1000:.0f} ms)")
    print(f"{service.url}: {'all answers are right' if not failures else f'{failures} failed'}")
    return 1 if failures else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m batcomputer.smoke", description=__doc__)
    parser.add_argument(
        "url", type=_url, help="where the service is, such as https://batcomputer.example.org"
    )
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="how long it may take to be ready"
    )
    parser.add_argument(
        "--expect", type=_model_version, action="append", default=[], metavar="MODEL=VERSION",
        help="the version that must answer for a model; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--behind-tls", action="store_true",
        help="ask as the proxy does that ends TLS in front of a server that wants HTTPS",
    )  # fmt: skip
    return parser


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with https:// or http://")
    return text


def _model_version(text: str) -> tuple[str, str]:
    model, sign, version = text.partition("=")
    if not (model and sign and version):
        raise argparse.ArgumentTypeError(f"{text!r} is not MODEL=VERSION")
    return model, version


def _ready(service: Service, seconds: float) -> bool:
    """Whether all workers are ready within ``seconds``: several answers in a row say so."""
    deadline, in_a_row = time.monotonic() + seconds, 0
    while in_a_row < _IN_A_ROW:
        try:
            service.ask("/readyz")
        except Wrong as wrong:
            if time.monotonic() >= deadline:
                print(f"FAILED  /readyz: {wrong}")
                return False
            in_a_row = 0
            time.sleep(1)
        else:
            in_a_row += 1
    return True


if __name__ == "__main__":
    sys.exit(main())
