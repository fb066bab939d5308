"""The last stage of a call: its operation is performed, unless its answer is known or it has a faster way."""

from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import FastCreate, Incoming, Operation
from cnx_mock.http import messages
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.kept_answers import keep_answer, kept_answer
from cnx_mock.http.shaped import perform_shaped
from cnx_mock.scenario.request import ApiRequest
from cnx_mock.world.records import KeyRecord
from cnx_mock.world.sandbox import SandboxState


class PerformedCall(JournalRecord):
    """A call whose operation can be performed."""

    __slots__ = ("client",)

    def __init__(self, request: ApiRequest, client: ClientHead) -> None:
        JournalRecord.__init__(self, request)
        self.client = client
        """What its headers say of its client."""

    def perform(self) -> None:
        """Perform the operation: its own stages are `api.operation.STAGES`."""
        request, sandbox, key, effects = self.request, self.sandbox, self.key, self.effects
        target = request.target
        operation = target.operation
        assert operation is not None, "the route was found before"
        assert sandbox is not None and key is not None, "the sandbox was entered before"
        if not operation.mutates and effects.stale is None:
            self.answer = kept_answer(sandbox, target, key, sandbox.clock.now())
            if self.answer is not None:
                return
        elif operation.fast_create is not None and self._create_fast(operation, operation.fast_create, sandbox, key):
            return
        caller = Caller(key)
        incoming = Incoming(target.params, target.query, request.body)
        if operation.takes_body:
            incoming.content_type = request.header(b"content-type")
            incoming.content_encoding = request.header(b"content-encoding") if request.body else None
            incoming.read = request.take_json()
        if effects.stale is None and effects.provisioning is None:
            reply = operation.perform(incoming, {SandboxState: sandbox, Caller: caller})
        else:
            reply = perform_shaped(effects, operation, incoming, sandbox, caller)
        self.committed = operation.mutates
        if target.method == "POST":  # every one of them creates a resource
            self.created_id = getattr(reply.shape, "id", None)
        if caller.polled:
            self.polled = caller.polled
        self.answer = messages.replied(operation, reply, target.path, target.query, sandbox.readings)
        if caller.same_until and effects.stale is None:
            keep_answer(sandbox, target, key, self.answer, caller.same_until)

    def _create_fast(
        self, operation: Operation, fast_create: FastCreate, sandbox: SandboxState, key: KeyRecord
    ) -> bool:
        """Answer a create without the operation's stages. Return whether that was possible."""
        request, effects = self.request, self.effects
        if (
            not self.client.sends_json
            or operation.scope not in key.scopes
            or effects.stale is not None
            or effects.provisioning is not None
        ):
            return False
        asked = fast_create.read(sandbox.catalogue, request.body, request.take_json())
        made = None if asked is None else fast_create.make(sandbox, asked, sandbox.clock.now())
        if made is None:
            return False
        self.committed = True
        self.created_id, body = made
        self.answer = messages.created(request.target.path, self.created_id, body.encode())
        return True
