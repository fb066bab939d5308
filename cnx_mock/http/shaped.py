"""An operation under a fault that shows old data, or that sets the time for provisioning."""

from cnx_mock.api import errors
from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import Incoming, Operation
from cnx_mock.api.shapes import Reply
from cnx_mock.scenario.exchange import FaultEffects
from cnx_mock.world.sandbox import SandboxState


def perform_shaped(
    effects: FaultEffects, operation: Operation, incoming: Incoming, sandbox: SandboxState, caller: Caller
) -> Reply:
    """Perform an operation under these effects. Raises what the operation raises."""
    world = sandbox if effects.stale is None else sandbox.as_of(sandbox.now - effects.stale)
    world.next_provisioning = effects.provisioning
    try:
        reply = operation.perform(incoming, {SandboxState: world, Caller: caller})
        effects.provisioned = world.next_provisioning is None
        effects.read = True
    except errors.NotFound:
        effects.read = True
        raise
    finally:
        world.next_provisioning = None
    caller.polled = [sandbox.polling[each.id] for each in caller.polled]  # what was read may be a copy
    return reply
