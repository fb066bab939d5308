"""A resource that takes longer to come up than usual, or never does, or comes up in another status."""

from typing import Annotated, Any, ClassVar

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema
from cnx_mock.api.operation import Operation
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.provisioning import PROVISIONING_SCHEMA, read_provisioning, spell_provisioning
from cnx_mock.world.kinds import PROVISIONED


class Provisioning(Fault):
    """`provisioning: 90s`, `[30s, 90s]`, `never`, `{polls: 3}`, `{delay: 45s, then: stopped}` or `{then: stopped}`."""

    key: ClassVar[str] = "provisioning"
    idle: ClassVar[str] = "nothing was made"
    provisioning: Annotated[Any, BeforeValidator(read_provisioning), WithJsonSchema(PROVISIONING_SCHEMA)]
    """How the resource that this call creates starts. Parts that are left out are as in the scenario's
    `provisioning`."""

    def label(self) -> str:
        return f"provisioning={spell_provisioning(self.provisioning)}"

    def applies(self, operation: Operation | None, method: str) -> bool:
        """Return whether such a call makes something that takes time to come up."""
        return operation is not None and method == "POST" and operation.resource.kind in PROVISIONED

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Set how long the resource takes that the operation makes. Of several rules the first wins."""
        first = exchange.effects.provisioning is None
        if first:
            exchange.effects.provisioning = self.provisioning
        await turn.proceed()
        if not first:
            turn.spared("an earlier rule says how long it takes")
        elif not exchange.effects.provisioned:
            turn.spared(self.idle)
        else:
            turn.fired()
