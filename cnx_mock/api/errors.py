"""Every error that the API answers with: raised by any stage of a request, and rendered in one place.

ApiError
 ├─ BadRequest 400            InvalidState 400          ValidationFailed 400     RegionUnavailable 400
 ├─ Unauthorized 401
 ├─ Forbidden 403             LiveKeyRejected 403       InsufficientCredits 403  QuotaExceeded 403
 ├─ HttpsRequired 403
 ├─ NotFound 404              MethodNotAllowed 405      PayloadTooLarge 413
 ├─ RateLimited 429
 ├─ BoundReached              the mock's own: RequestTimeout 408, SandboxLimit 429, HeadersTooLarge 431,
 │                            ListenerLimit 503
 └─ InternalError 500

The reference documents the form of the body, `INSUFFICIENT_CREDITS`, and the statuses 400 401 403 404 429 500.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from cnx_mock.api.readings import CREDITS_STATUS, LIVE_KEY_STATUS, VALIDATION_STATUS, Reading
from cnx_mock.text.live_keys import LIVE_PREFIX
from cnx_mock.text.tight_json import tight_json
from cnx_mock.world.keys import TEST_PREFIX

Headers = tuple[tuple[bytes, bytes], ...]


class ApiError(Exception):
    """An answer that refuses a request: a code for programs, a message for people, and details as strings."""

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    example: ClassVar[Mapping[str, str]] = {}
    """The details that a scenario sends if the request itself gives none. From the reference, if it has any."""
    reading: ClassVar[Reading | None] = None
    """The reading that decides the status; None if the reference does."""

    def __init__(self, /, **details: str) -> None:  # a field may be called `self`
        super().__init__(self.code, details)
        self.details: dict[str, str] = details

    @classmethod
    def status_under(cls, readings: Mapping[str, str]) -> int:
        """Return the status of this error under the chosen readings."""
        return cls.status if cls.reading is None else int(cls.reading.of(readings))

    def headers(self) -> Headers:
        """Return the headers that HTTP requires with this status."""
        return ()


class BadRequest(ApiError):
    """The request cannot be parsed."""

    status, code, message = 400, "BAD_REQUEST", "The request could not be read."
    example = {"reason": "malformed JSON at line 1 column 5"}


class ValidationFailed(ApiError):
    """At least one field is wrong. The details have an entry for each."""

    status, code, message = 400, "VALIDATION_ERROR", "One or more fields are invalid."
    example = {"name": "is required"}
    reading = VALIDATION_STATUS


class InvalidState(ApiError):
    """The resource's state does not allow this."""

    status, code, message = 400, "INVALID_STATE", "The resource is not in a state that allows this."
    example = {"resource": "instance", "state": "provisioning", "required": "running"}


class RegionUnavailable(ApiError):
    """The region exists, but has an outage."""

    status, code, message = 400, "REGION_UNAVAILABLE", "The region is temporarily unavailable."
    example = {"region": "us-east-1"}


class Unauthorized(ApiError):
    """The key is missing, malformed, unknown or revoked."""

    status, code, message = 401, "UNAUTHORIZED", f"A valid API key is required: Authorization: Bearer {TEST_PREFIX}…"
    example = {"reason": "unknown_key"}

    def headers(self) -> Headers:
        """Return the `WWW-Authenticate` header, which RFC 9110 section 11.6.1 requires."""
        return ((b"www-authenticate", b"Bearer"),)


class Forbidden(ApiError):
    """The key does not have the scope that the operation needs."""

    status, code, message = 403, "FORBIDDEN", "This API key is not allowed to do that."
    example = {"required_scope": "instances:write", "granted_scopes": "instances:read"}


class LiveKeyRejected(ApiError):
    """The key is a production key. It is refused before anything else happens."""

    status, code, message = 403, "LIVE_KEY_REJECTED", f"This is a sandbox: use a {TEST_PREFIX} key, never a live one."
    example = {"key_prefix": LIVE_PREFIX, "expected_prefix": TEST_PREFIX}
    reading = LIVE_KEY_STATUS


class HttpsRequired(ApiError):
    """Plain HTTP, but HTTPS is required. Not 426: that status offers an upgrade to TLS on the same connection."""

    status, code, message = 403, "HTTPS_REQUIRED", "All requests must be made over HTTPS."
    example = {"url": "https://api.cloudnexus.com"}


class InsufficientCredits(ApiError):
    """The balance is too low. Code, message and details are from the reference."""

    status, code, message = 403, "INSUFFICIENT_CREDITS", "Account balance is below minimum threshold."
    example = {"current_balance": "$2.45", "required": "$5.00"}
    reading = CREDITS_STATUS


class QuotaExceeded(ApiError):
    """The account has the greatest allowed number of this resource."""

    status, code, message = 403, "QUOTA_EXCEEDED", "The account's quota for this resource is used up."
    example = {"resource": "instance", "current": "10", "limit": "10"}


class NotFound(ApiError):
    """The resource or the path does not exist."""

    status, code, message = 404, "NOT_FOUND", "The requested resource does not exist."
    example = {"resource": "instance", "id": "inst_0000000000000000"}


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method."""

    status, code, message = 405, "METHOD_NOT_ALLOWED", "This path does not support that method."
    example = {"method": "PATCH", "allowed": "GET, HEAD, POST"}

    def headers(self) -> Headers:
        """Return the `Allow` header, which RFC 9110 section 15.5.6 requires."""
        return ((b"allow", self.details["allowed"].encode()),)


class PayloadTooLarge(ApiError):
    """The body is larger than the limit."""

    status, code, message = 413, "PAYLOAD_TOO_LARGE", "The request body is too large."
    example = {"limit_bytes": "65536"}


class BoundReached(ApiError):
    """One of the mock's own bounds is reached. The cloud has nothing like it, so that no scenario sends it."""


class RequestTimeout(BoundReached):
    """The request took too long to arrive."""

    status, code, message = 408, "REQUEST_TIMEOUT", "The request took too long to arrive."
    example = {"reason": "the request took too long: it did not arrive completely within 30 s (--read-timeout)"}


class HeadersTooLarge(BoundReached):
    """The request's head has too many bytes or too many headers."""

    status, code, message = 431, "HEADERS_TOO_LARGE", "The request's head is too large."
    example = {"reason": "the request's head is too large: it has more than 200 headers"}


class RateLimited(ApiError):
    """There were too many requests in this window."""

    status, code, message = 429, "RATE_LIMITED", "Too many requests: wait for the window to reset."
    example = {"limit": "300", "remaining": "0", "reset": "1702834567", "retry_after": "1"}

    def headers(self) -> Headers:
        """Return the `Retry-After` header in seconds (RFC 9110 section 10.2.3)."""
        return ((b"retry-after", self.details["retry_after"].encode()),)


class SandboxLimit(BoundReached):
    """The mock has its greatest number of sandboxes."""

    status, code, message = 429, "SANDBOX_LIMIT", "The mock has reached its limit of sandboxes."
    example = {"limit": "10000", "option": "--max-sandboxes"}


class ListenerLimit(BoundReached):
    """The mock has its greatest number of clients that follow its events."""

    status, code, message = 503, "LISTENER_LIMIT", "The mock has reached its limit of clients that follow its events."
    example = {"limit": "64", "option": "--max-listeners"}


class InternalError(ApiError):
    """The cloud itself failed."""

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
"""What can be raised before an operation's handler is called. The handler's own errors are in its declaration."""


def catalogue() -> dict[str, type[ApiError]]:
    """Return every error class of the API by its code, without those of the mock's own bounds."""
    return {error.code: error for error in _descendants(ApiError) if not issubclass(error, BoundReached)}


def _descendants(error: type[ApiError]) -> Iterator[type[ApiError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def body(code: str, message: str, details: Mapping[str, str], request_id: str) -> bytes:
    """Return the body of an error, in the form that the reference documents."""
    return tight_json({"error": {"code": code, "message": message, "details": dict(details), "request_id": request_id}})


def unreadable(status: int, reason: str) -> ApiError:
    """Return the refusal of a request that could not be read to its end: 408, 431, or else 400."""
    kinds: tuple[type[ApiError], ...] = (RequestTimeout, HeadersTooLarge)
    kind = next((each for each in kinds if each.status == status), BadRequest)
    return kind(reason=reason)
