"""The caller of an operation: its key, and the resources that it polls."""

from cnx_mock.api.errors import Forbidden
from cnx_mock.world.records import KeyRecord, ProvisionedRecord


class Caller:
    """The caller of one request."""

    __slots__ = ("key", "polled", "same_until")

    def __init__(self, key: KeyRecord) -> None:
        self.key = key
        self.polled: list[ProvisionedRecord] = []
        """The resources not ready yet that this call shows. Each counts as polled once, when the answer is sent."""
        self.same_until = 0
        """Until when the answer stays the same, as long as no instance changes; 0 if that is not known."""

    def require(self, scope: str | None) -> None:
        """Check the key's scopes. Raises Forbidden if this one is missing; None needs no scope."""
        if scope is not None and scope not in self.key.scopes:
            raise Forbidden(required_scope=scope, granted_scopes=", ".join(self.key.scopes))
