"""PostgreSQL's password where DATABASE_PASSWORD_FROM is azure: a token of the machine's identity.

Azure's own library has more ways to get one, and costs each process 50 MB. A server needs two:
workload identity (pods of AKS), and managed identity (containers, apps and machines).
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from django.db import OperationalError

RESOURCE = "https://ossrdbms-aad.database.windows.net"  # Azure's name for its open-source databases
MACHINE = "http://169.254.169.254/metadata/identity/oauth2/token"
TIMEOUT = 5  # seconds
EARLY = 600  # seconds before a token's end at which the next is requested in the background
LAST = 30  # seconds before its end from which it is no longer used
PAUSE = 2  # seconds after a refusal during which it is repeated without a new request


@dataclass(frozen=True)
class Token:
    """A password for PostgreSQL until ``ends``, in seconds since 1970."""

    text: str
    ends: float

    def left(self) -> float:
        """Seconds until it ends."""
        return self.ends - time.time()


class NoTokenError(OperationalError):
    """There is no token; callers see a database that is down."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Azure gave no token for the database: {why}")
        self.why = why


class Tokens:
    """One token for all connections of a process, and the next one before it ends."""

    def __init__(self, ask: Callable[[], Token]) -> None:
        """``ask`` raises NoTokenError."""
        self._ask = ask
        self._asking = threading.Lock()
        self._token = Token("", 0)
        self._refused = (0.0, "")  # when, and why

    def current(self) -> str:
        """A valid token; the request waits for a new one only if the last one has expired.

        Raises NoTokenError.
        """
        if self._token.left() < LAST:
            with self._asking:
                if self._token.left() < LAST:  # no other greenlet was first
                    self._renew()
        elif self._token.left() < EARLY and not self._asking.locked():
            threading.Thread(target=self._renew_early, daemon=True).start()
        return self._token.text

    def _renew(self) -> None:
        when, why = self._refused
        if 0 <= time.time() - when < PAUSE:  # negative: the clock was set back
            raise NoTokenError(why)
        try:
            self._token = self._ask()
        except NoTokenError as error:
            self._refused = (time.time(), error.why)
            raise

    def _renew_early(self) -> None:
        if not self._asking.acquire(blocking=False):
            return
        try:
            self._renew()
        except NoTokenError:
            pass  # the present one is still valid; its last seconds will raise the error
        finally:
            self._asking.release()


def password() -> str:
    """PostgreSQL's password for this process's identity. Raises NoTokenError."""
    return _tokens().current()


@cache  # made at first use: a lock from before gevent's patches would block the worker
def _tokens() -> Tokens:
    return Tokens(ask)


def ask() -> Token:
    """A new token from Azure. Raises NoTokenError."""
    try:
        request, proxies = request_for(os.environ)
        with build_opener(*proxies).open(request, timeout=TIMEOUT) as response:
            answer = json.load(response)
        ends = answer.get("expires_on") or time.time() + float(answer["expires_in"])
        return Token(str(answer["access_token"]), float(ends))
    except HTTPError as error:
        raise NoTokenError(f"{error.code} {_described(error)}".strip()) from None
    except (OSError, HTTPException) as error:
        raise NoTokenError(str(error)) from error
    except KeyError as error:
        raise NoTokenError(f"there is no {error.args[0]}") from None
    except (ValueError, TypeError, AttributeError):
        raise NoTokenError("its answer has no token") from None


def request_for(given: Mapping[str, str]) -> tuple[Request, list[ProxyHandler]]:
    """The request for a token, depending on the variables that Azure has set, and its proxies.

    The variables are those of the platform's libraries, not settings of the server:
    https://learn.microsoft.com/azure/aks/workload-identity-overview,
    https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
    """
    client = {"client_id": given["AZURE_CLIENT_ID"]} if given.get("AZURE_CLIENT_ID") else {}
    if file := given.get("AZURE_FEDERATED_TOKEN_FILE"):
        proof = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {
            "grant_type": "client_credentials",
            "scope": f"{RESOURCE}/.default",
            "client_assertion_type": proof,
            "client_assertion": Path(file).read_text().strip(),
            **client,
        }
        host = given.get("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/").rstrip("/")
        url = f"{host}/{given['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        return Request(url, urlencode(form).encode()), []  # noqa: S310 - the platform says where
    if app := given.get("IDENTITY_ENDPOINT"):
        query = {"api-version": "2019-08-01", "resource": RESOURCE, **client}
        headers = {"X-IDENTITY-HEADER": given.get("IDENTITY_HEADER", "")}
        return Request(f"{app}?{urlencode(query)}", headers=headers), [ProxyHandler({})]  # noqa: S310
    query = {"api-version": "2018-02-01", "resource": RESOURCE, **client}
    headers = {"Metadata": "true"}
    return Request(f"{MACHINE}?{urlencode(query)}", headers=headers), [ProxyHandler({})]  # noqa: S310


def _described(error: HTTPError) -> str:
    """Azure's own message about a refusal, which repeats no secret; empty where there is none."""
    try:
        return " ".join(str(json.load(error)["error_description"]).split())[:200]
    except (OSError, ValueError, TypeError, KeyError):
        return ""
