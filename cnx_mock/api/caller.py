"""The caller of an operation: its key, and the resources that it polls."""

from cnx_mock.api.errors import Forbidden
from cnx_mock.world.records import KeyRecord, ProvisionedRecord


class Caller:
    """The caller of one request."""

    __slots__ = ("key", "polled")

    def __init__(self, key: KeyRecord) -> None:
        self.key = key
        self.polled: list[ProvisionedRecord] = []
        """The resources not ready yet that this call shows. Each counts as polled once, when the answer is sent."""

    def require(self, scope: str | None) -> None:
        """Check the key's scopes. Raises Forbidden if this one is missing; None needs no scope."""
        if scope is not None and scope not in self.key.scopes:
            raise Forbidden(required_scope=scope, granted_scopes=", ".join(self.key.scopes))
