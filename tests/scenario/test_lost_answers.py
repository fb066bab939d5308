"""The worst of all: the change is there, and the client never learns of it. Every outcome, `at: after`, on every
operation that changes something."""

from http.client import HTTPException
from typing import Any

import pytest

from cnx_mock import Sandbox
from cnx_mock.api.operation import Operation
from cnx_mock.scenario.faults import kinds
from cnx_mock.services import operations
from tests.cases import cases
from tests.conftest import INSTANCE, Client
from tests.scenario.test_faults import calling, ended
from tests.waiting import until

OUTCOMES: dict[str, dict[str, Any]] = {
    "Close": {"connection": "close"},
    "Corrupt": {"body": {"corrupt": "8B"}},
    "Empty": {"connection": "empty"},
    "Error": {"error": "INTERNAL_ERROR"},
    "Garbage": {"connection": "garbage"},
    "Gateway": {"gateway": 504},
    "Hang": {"connection": "hang"},
    "MalformedChunk": {"connection": "malformed_chunk"},
    "MalformedJson": {"body": "malformed_json"},
    "Reset": {"connection": "reset"},
    "Revoked": {"revoked": {"calls": 1}},
    "Status": {"status": 503},
    "Truncate": {"body": {"truncate": 0.5}},
}
"""Every outcome by its class's name, as a rule has it."""

BODIES: dict[str, dict[str, Any]] = {
    "instances": INSTANCE,
    "snapshots": {},
    "firewalls": {},
    "load_balancers": {
        "regions": ["us-east-1"],
        "forwarding_rules": [
            {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}
        ],
    },
}
"""What a resource's create and replace are sent, but for the name."""

MUTATIONS = [each for each in operations() if each.mutates]


@pytest.fixture
def peopled(sandbox: Sandbox) -> Sandbox:
    """A sandbox with some of everything in it."""
    sandbox.load("small-team")
    return sandbox


@pytest.fixture
def lost(peopled: Sandbox, api: Client) -> "Lost":
    """Calls whose answers are lost."""
    return Lost(peopled, api)


class Lost:
    """A change that is asked for, and whether the client learns of it."""

    def __init__(self, sandbox: Sandbox, api: Client) -> None:
        self.sandbox, self.api = sandbox, api

    def ids(self, operation: Operation) -> set[str]:
        """What there is of the operation's resource."""
        return {each["id"] for each in self.api.get(operation.path.removesuffix("/{id}")).json["data"]}

    def call(self, operation: Operation) -> tuple[str, str, Any]:
        """Method, path and body that have the operation succeed."""
        chosen = min(self.ids(operation))
        if operation.method == "DELETE":
            return "DELETE", operation.path.replace("{id}", chosen), None
        body = {**BODIES[operation.resource.name], "name": "changed"}
        if operation.resource.name == "snapshots":
            running = self.api.get("/v1/instances?status=running").json["data"]
            body["instance_id"] = running[0]["id"]
        return operation.method, operation.path.replace("{id}", chosen), body

    def learns(self, method: str, path: str, body: Any) -> bool:
        """Whether an answer tells the client that its call went through."""
        try:
            reply = self.api.call(method, path, body)
            return reply.status < 400 and isinstance(reply.json, dict)
        except (OSError, HTTPException, ValueError):
            return False

    def gives_up(self, method: str, path: str, body: Any) -> None:
        """Call, and hang up as soon as the call is under way."""
        before = len(self.sandbox.requests)
        with calling(self.api, method, path, body):
            until(lambda: len(self.sandbox.requests) > before)


def test_every_outcome_there_is_has_its_place_here():
    assert OUTCOMES.keys() == {kind.__name__ for kind in kinds() if kind.outcome}


@cases("operation", MUTATIONS, ids=lambda each: each.name)
def test_without_a_fault_the_client_learns_of_its_change(sandbox, api, operation):
    sandbox.load("small-team")
    lost = Lost(sandbox, api)
    assert lost.learns(*lost.call(operation))


@pytest.mark.slow
@cases("operation", MUTATIONS, ids=lambda each: each.name)
@cases("outcome", OUTCOMES)
def test_the_change_is_there_and_the_client_never_learned_of_it(sandbox, api, outcome, operation):
    sandbox.load("small-team")
    lost = Lost(sandbox, api)
    before, call = lost.ids(operation), lost.call(operation)
    rule = lost.sandbox.inject(operation.name, **OUTCOMES[outcome], at="after", times=1)
    if outcome == "Hang":
        lost.gives_up(*call)
    else:
        assert not lost.learns(*call)
    entry = ended(lost.sandbox)
    assert (entry.operation, entry.committed, rule.fired) == (operation.name, True, 1)
    there = lost.ids(operation)
    if operation.method == "POST":
        assert len(there - before) == 1
    elif operation.method == "DELETE":
        assert before - there == {call[1].rpartition("/")[2]}
        assert lost.api.get(call[1]).status == 404
    else:
        assert there == before
        assert lost.api.get(call[1]).json["name"] == "changed"
