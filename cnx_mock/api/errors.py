"""Everything that the API can refuse, raised where it is found and rendered in one place.

ApiError
 ├─ BadRequest 400            InvalidState 400          ValidationFailed 400     RegionUnavailable 400
 ├─ Unauthorized 401
 ├─ Forbidden 403             LiveKeyRejected 403       InsufficientCredits 403  QuotaExceeded 403
 ├─ HttpsRequired 403
 ├─ NotFound 404              MethodNotAllowed 405      PayloadTooLarge 413
 └─ RateLimited 429           InternalError 500

The reference documents the body's form, `INSUFFICIENT_CREDITS`, and the statuses 400 401 403 404 429 500.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import orjson

from cnx_mock.api.readings import CREDITS_STATUS, LIVE_KEY_STATUS, VALIDATION_STATUS, Reading

Headers = tuple[tuple[bytes, bytes], ...]


class ApiError(Exception):
    """A refusal with a machine-readable code, a human-readable message, and details whose values are strings."""

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    example: ClassVar[Mapping[str, str]] = {}
    """Details as a scenario sends them when the request itself does not say: the reference's, where it has any."""
    reading: ClassVar[Reading | None] = None
    """The reading that decides on the status, where the reference leaves it open."""

    def __init__(self, /, **details: str) -> None:  # a field may be called `self`
        super().__init__(self.code, details)
        self.details: dict[str, str] = details

    @classmethod
    def status_under(cls, readings: Mapping[str, str]) -> int:
        """The status under the readings in force."""
        return cls.status if cls.reading is None else int(cls.reading.of(readings))

    def headers(self) -> Headers:
        """What HTTP asks for beside this status."""
        return ()


class BadRequest(ApiError):
    """The request cannot be read."""

    status, code, message = 400, "BAD_REQUEST", "The request could not be read."
    example = {"reason": "malformed JSON at line 1 column 5"}


class ValidationFailed(ApiError):
    """One entry for every field that is wrong."""

    status, code, message = 400, "VALIDATION_ERROR", "One or more fields are invalid."
    example = {"name": "is required"}
    reading = VALIDATION_STATUS


class InvalidState(ApiError):
    """The resource cannot do that now."""

    status, code, message = 400, "INVALID_STATE", "The resource is not in a state that allows this."
    example = {"resource": "instance", "state": "provisioning", "required": "running"}


class RegionUnavailable(ApiError):
    """The region is known and does not answer."""

    status, code, message = 400, "REGION_UNAVAILABLE", "The region is temporarily unavailable."
    example = {"region": "us-east-1"}


class Unauthorized(ApiError):
    """No key, or none that counts."""

    status, code, message = 401, "UNAUTHORIZED", "A valid API key is required: Authorization: Bearer cnx_test_…"
    example = {"reason": "unknown_key"}

    def headers(self) -> Headers:
        """RFC 9110 section 11.6.1: a 401 says how to authenticate."""
        return ((b"www-authenticate", b"Bearer"),)


class Forbidden(ApiError):
    """The key's scopes do not reach that far."""

    status, code, message = 403, "FORBIDDEN", "This API key is not allowed to do that."
    example = {"required_scope": "instances:write", "granted_scopes": "instances:read"}


class LiveKeyRejected(ApiError):
    """A production key, refused before anything happens."""

    status, code, message = 403, "LIVE_KEY_REJECTED", "This is a sandbox: use a cnx_test_ key, never a live one."
    example = {"key_prefix": "cnx_live_", "expected_prefix": "cnx_test_"}
    reading = LIVE_KEY_STATUS


class HttpsRequired(ApiError):
    """Plain HTTP where HTTPS is asked for. Not 426, which offers to go on in TLS on this very connection."""

    status, code, message = 403, "HTTPS_REQUIRED", "All requests must be made over HTTPS."
    example = {"url": "https://api.cloudnexus.com"}


class InsufficientCredits(ApiError):
    """The account has run out of money; code, message and details are the reference's own."""

    status, code, message = 403, "INSUFFICIENT_CREDITS", "Account balance is below minimum threshold."
    example = {"current_balance": "$2.45", "required": "$5.00"}
    reading = CREDITS_STATUS


class QuotaExceeded(ApiError):
    """The account has as many as it may."""

    status, code, message = 403, "QUOTA_EXCEEDED", "The account's quota for this resource is used up."
    example = {"resource": "instance", "current": "10", "limit": "10"}


class NotFound(ApiError):
    """No such resource, or no such path."""

    status, code, message = 404, "NOT_FOUND", "The requested resource does not exist."
    example = {"resource": "instance", "id": "inst_0000000000000000"}


class MethodNotAllowed(ApiError):
    """The path exists, the method does not."""

    status, code, message = 405, "METHOD_NOT_ALLOWED", "This path does not support that method."
    example = {"method": "PATCH", "allowed": "GET, HEAD, POST"}

    def headers(self) -> Headers:
        """RFC 9110 section 15.5.6: a 405 says which methods there are."""
        return ((b"allow", self.details["allowed"].encode()),)


class PayloadTooLarge(ApiError):
    """More body than is read."""

    status, code, message = 413, "PAYLOAD_TOO_LARGE", "The request body is too large."
    example = {"limit_bytes": "65536"}


class RateLimited(ApiError):
    """Too many requests in this window."""

    status, code, message = 429, "RATE_LIMITED", "Too many requests: wait for the window to reset."
    example = {"limit": "300", "remaining": "0", "reset": "1702834567", "retry_after": "1"}

    def headers(self) -> Headers:
        """RFC 9110 section 10.2.3, in seconds."""
        return ((b"retry-after", self.details["retry_after"].encode()),)


class InternalError(ApiError):
    """Something broke in the cloud."""

    status, code, message = 500, "INTERNAL_ERROR", "An internal error occurred."


EVERYWHERE: tuple[type[ApiError], ...] = (
    BadRequest,
    Unauthorized,
    Forbidden,
    LiveKeyRejected,
    NotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimited,
    InternalError,
)
"""What any operation may answer before its handler is asked; a handler's own errors stand in its declaration."""


def catalogue() -> dict[str, type[ApiError]]:
    """Every error by its code."""
    return {error.code: error for error in _descendants(ApiError)}


def _descendants(error: type[ApiError]) -> Iterator[type[ApiError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def body(code: str, message: str, details: Mapping[str, str], request_id: str) -> bytes:
    """The one form of every error, as documented."""
    return orjson.dumps(
        {"error": {"code": code, "message": message, "details": dict(details), "request_id": request_id}}
    )
