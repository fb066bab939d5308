"""Who calls, seen from an endpoint: what the key may do, and what the caller is shown of things still coming up."""

from cnx_mock.api.errors import Forbidden
from cnx_mock.world.records import KeyRecord, ProvisionedRecord


class Caller:
    """One request's caller."""

    __slots__ = ("key", "polled")

    def __init__(self, key: KeyRecord) -> None:
        self.key = key
        self.polled: list[ProvisionedRecord] = []
        """The provisioning resources that this call reads: each read counts, once its answer is on the way."""

    def require(self, scope: str | None) -> None:
        """Raise Forbidden unless the key has the scope."""
        if scope is not None and scope not in self.key.scopes:
            raise Forbidden(required_scope=scope, granted_scopes=", ".join(self.key.scopes))
