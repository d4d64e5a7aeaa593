"""Errors of Azure's libraries, each as one sentence: where, what happened, what to check.

The libraries' messages are never repeated: they have many lines, and a URL in them may hold a SAS.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
)

from predictor.registry import RegistryError

_REFUSED = (
    "the credentials were refused",
    (
        "check AZURE_STORAGE_KEY, that a SAS token has not expired, or the machine's identity, "
        "and the account's firewall"
    ),
)
_NO_CREDENTIALS = (  # no request reached the account
    "this machine has no identity there, or the key is not valid",
    "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or give the machine a managed identity",
)
_FORBIDDEN = (
    "the credentials do not allow this",
    (
        "check the permissions of the SAS token (read and list to fetch; create, write and list "
        "to publish) or the role of the identity (Storage Blob Data Reader or Contributor), and "
        "the account's firewall"
    ),
)
_BY_CODE = {
    "ContainerNotFound": (
        "there is no such container",
        "check the account, and the model's name (or BLOB_CONTAINER)",
    ),
    "BlobNotFound": ("there is no such blob", "check the version (or VERSION)"),
    "ConditionNotMet": (
        "the blob changed while it was read",
        "check who writes to it, then try again",
    ),
    "ContainerBeingDeleted": ("the container is being deleted", "try again in a minute"),
    "AuthenticationFailed": _REFUSED,
    "InvalidAuthenticationInfo": _REFUSED,
    "NoAuthenticationInformation": _REFUSED,
    "AuthorizationFailure": _REFUSED,
    "AuthorizationPermissionMismatch": _FORBIDDEN,
    "AuthorizationResourceTypeMismatch": _FORBIDDEN,
    "AuthorizationServiceMismatch": _FORBIDDEN,
    "AuthorizationProtocolMismatch": _FORBIDDEN,
    "AuthorizationSourceIPMismatch": _FORBIDDEN,
    "KeyBasedAuthenticationNotPermitted": (
        "the account takes no keys",
        "unset AZURE_STORAGE_KEY so that the machine's identity is used",
    ),
}


_BY_STATUS = {401: _REFUSED, 403: _FORBIDDEN}


@contextmanager
def explained(account: str, container: str = "", blob: str = "") -> Iterator[None]:
    """Turn an AzureError in the block into a RegistryError that says where and what to check."""
    try:
        yield
    except AzureError as error:
        places = ("Azure account", account), ("container", container), ("blob", blob)
        where = ", ".join(f"{kind} {name}" for kind, name in places if name)
        happened, check = _explain(error)
        raise RegistryError(f"{where}: {happened}; {check}") from error


def _explain(error: AzureError) -> tuple[str, str]:
    code = getattr(error, "error_code", None)
    code = str(getattr(code, "value", code) or "")  # an Enum for codes that the library knows
    if code in _BY_CODE:
        return _BY_CODE[code]
    if isinstance(error, ServiceRequestError):
        return (
            "it cannot be reached",
            "check AZURE_STORAGE_ACCOUNT, the network and the account's firewall",
        )
    status = getattr(error, "status_code", None)
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return _NO_CREDENTIALS
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status and status >= 400:
        return f"it answered {code or status}", "try again, or ask the account's administrator"
    return "the transfer broke off, and trying again did not help", "check the network, try again"
