"""The fast path: a read whose answer is kept, and an ordinary create, are answered without the stages.

The stages do the same few things for each call that no rule matches, and whose key, account and rate window have
nothing special. The fast path does only these, in half of the time. If anything else is needed, it has done nothing
yet, and the stages take the call. `tests/http/test_both_paths.py` and `tests/http/test_fast_path.py` hold that the
answers, the journals and the worlds are the same.
"""

from typing import Any, Final

import orjson

from cnx_mock.api.operation import FastCreate
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.kept_answers import kept_answer
from cnx_mock.http.observers import Observers
from cnx_mock.http.pipeline import Pipeline
from cnx_mock.scenario.candidates import Candidates
from cnx_mock.scenario.exchange import NO_EFFECTS, Answer
from cnx_mock.scenario.magic import MARK
from cnx_mock.scenario.matching import lacks
from cnx_mock.scenario.request import ApiRequest, RequestTarget
from cnx_mock.text.live_keys import may_have_live_key
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import SECOND, ticks
from cnx_mock.world.sandbox import SandboxState

_MOST_BODIES = 200
"""The bodies that one server remembers."""

_MOST_HASHES = 1000
"""The hashes of other bodies that one server remembers."""

_LONGEST_BODY = 2048
"""Bytes of the longest body that is remembered."""

_NOTHING_SPECIAL: dict[str, Any] = {
    "_response_headers": None,
    "committed": False,
    "created_id": None,
    "delayed": 0,
    "delays": None,
    "effects": NO_EFFECTS,
    "event": 0,
    "performances": (),
    "polled": None,
    "problem": None,
}
"""What the record of a call on the fast path has in its other fields. It has no key and no allowance, which only the
stages need."""


class FastPathRecord(JournalRecord):
    """The record of a call on the fast path. What is not set is made when somebody reads it: most records are never
    read."""

    __slots__ = ("arrived", "body", "client", "connection", "message", "secure", "target", "wall")

    arrived: int
    body: bytes
    client: ClientHead
    connection: int | None
    message: bytes
    """The whole answer to a create."""
    secure: bool
    target: RequestTarget
    wall: int

    def __init__(self) -> None:
        """Set nothing: `FastPath.answer` sets the fields."""

    def __getattr__(self, name: str) -> Any:
        """Return what has not been set."""
        if name == "request":
            sent, body, wall = self.client.headers, self.body, self.wall
            made = ApiRequest(self.target, sent, body, self.arrived, wall, self.connection, secure=self.secure)
            self.request = made
            return made
        if name in ("answer", "_sent_head"):  # of a create: that of a read is set
            head, _, body = self.message.partition(b"\r\n\r\n")
            location = f"{self.target.path}/{self.created_id}".encode()
            self.answer, self._sent_head = Answer(201, [(b"location", location)], body), head + b"\r\n\r\n"
            del self.message
            return getattr(self, name)
        try:
            return _NOTHING_SPECIAL[name]
        except KeyError:
            raise AttributeError(name) from None


class _Body:
    """What a body asks for. That does not depend on its sender."""

    __slots__ = ("asked", "data", "unmatched")

    def __init__(self, asked: Any, data: Any) -> None:
        self.asked: Final = asked
        """What it asks for, as `FastCreate.read` has read it; None if the stages have to judge."""
        self.data: Final = data
        self.unmatched: Candidates = ()
        """The rules that have been found not to match it."""

    def is_matched_by(self, candidates: Candidates) -> bool:
        """Return whether one of these rules may match it."""
        data = self.data
        for _, plain in candidates:
            if not plain or not lacks(data, plain):
                return True
        self.unmatched = candidates
        return False


_FOR_STAGES = _Body(None, None)


class FastPath:
    """Answers calls of one server without the stages, if it can."""

    def __init__(self, pipeline: Pipeline, observers: Observers) -> None:
        self._tenants = pipeline.tenants.by_key
        self._sender = pipeline.sender
        self._observers = observers
        self._bodies: dict[tuple[RequestTarget, bytes], _Body] = {}
        self._once: set[int] = set()
        """The hashes of bodies that have come once."""
        self.unanswered: str | None = None
        """The id of what the last call has created, until its answer is there."""

    def answer(
        self,
        target: RequestTarget,
        client: ClientHead,
        body: bytes,
        arrived: int,
        wall: int,
        connection: int | None,
        secure: bool,
    ) -> bytes | None:
        """Return the whole answer to a call, as it goes to the wire. Return None, and do nothing, if the stages have to
        take the call. (It is one long function because each call of another one takes a hundredth of its time.)"""
        digits, operation = client.digits, target.operation
        tenant = None if digits is None else self._tenants.get(digits)
        if tenant is None or operation is None or not tenant.is_complete:
            return None
        sandbox, engine, window = tenant.sandbox_so_far, tenant.engine, tenant.window
        clock, account, key = sandbox.clock, sandbox.account, sandbox.by_digits[digits]  # type: ignore[index]
        now, limit = clock.at(arrived), account.limit
        left = window.left(limit, arrived + clock.advanced)
        candidates = engine.candidates(target, client.headers, now)
        if not left or candidates is None or account.fate or key.revoked or sandbox.readings:
            return None

        made = answer = None
        if operation.fast_create is not None:
            if operation.scope in key.scopes:
                made = self._create(operation.fast_create, target, client, body, candidates, sandbox, now)
        elif not body and not candidates and target.method == "GET":
            answer = kept_answer(sandbox, target, key, now)
        if made is None and answer is None:
            return None

        # nothing is in the way
        request_id, second = sandbox.chance.new_id("req"), wall // SECOND
        window.used += 1
        remaining, reset = limit - window.used, -(-(wall + left) // SECOND)
        record = FastPathRecord()
        record.request_id, record.at, record.sandbox, record.ruling = request_id, now, sandbox, engine.undecided
        record.target, record.client, record.body, record.arrived = target, client, body, arrived
        record.wall, record.connection, record.secure = wall, connection, secure
        if made is not None:
            self.unanswered, shown = made
            record.created_id = self.unanswered
            record.committed, record.status = True, 201
            record.message = message = self._sender.created(
                target.path, made[0], shown, request_id, second, limit, remaining, reset
            )
        elif answer is not None:
            record.answer, record.status = answer, answer.status
            record._sent_head = head = self._sender.allowed(answer, request_id, second, limit, remaining, reset)
            message = head + answer.body
        record.duration = ticks() - arrived
        tenant.journal.keep(record, target.size + client.headers.size + len(body) + len(message))
        self.unanswered = None
        self._observers.tell(record, tenant)
        return message

    def _create(
        self,
        fast_create: FastCreate,
        target: RequestTarget,
        client: ClientHead,
        body: bytes,
        candidates: Candidates,
        sandbox: SandboxState,
        now: int,
    ) -> tuple[str, str] | None:
        """Create a resource, and return its id and its JSON. Return None, and do nothing, if the stages have to do
        it."""
        known = self._bodies.get((target, body)) or self._body_of(fast_create, target, body, sandbox.catalogue)
        if (
            known.asked is None
            or not client.sends_json
            or (candidates is not known.unmatched and known.is_matched_by(candidates))
        ):
            return None
        return fast_create.make(sandbox, known.asked, now)

    def _body_of(self, fast_create: FastCreate, target: RequestTarget, body: bytes, catalogue: Catalogue) -> _Body:
        """Return what a body says that is not known yet. It is remembered when it comes for the second time: clients
        send the same one again and again, or a new one each time."""
        if len(body) > _LONGEST_BODY or body.find(MARK) >= 0 or may_have_live_key(body):
            return _FOR_STAGES
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _FOR_STAGES
        found, hashed, once = _Body(fast_create.read(catalogue, body, data), data), hash(body), self._once
        if hashed not in once:
            if len(once) >= _MOST_HASHES:
                once.clear()
            once.add(hashed)
            return found
        if len(self._bodies) >= _MOST_BODIES:
            self._bodies.clear()
        self._bodies[target, body] = found
        return found
