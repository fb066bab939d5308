"""One declaration feeds the router, the validator, the encoder and the document. So they agree with one another, an
operation cannot do what it does not declare, and everything that is declared happens."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from cnx_mock.api import errors
from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import DeclarationError, Incoming, Resource, added
from cnx_mock.api.shapes import Deleted, Reply, Shape
from cnx_mock.services import operations
from cnx_mock.world.records import KeyRecord
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND
from tests.openapi_parts import resolved

OPERATIONS = {operation.name: operation for operation in operations()}


@pytest.fixture
def document(server, client):
    """The document that the server sends."""
    return client(server.url).get("/openapi.json").json


def declared(document):
    """Return the method, the path and the declaration of every operation, by its name in scenarios."""
    return {
        item["x-cnx-operation"]: (method.upper(), path, item)
        for path, methods in document["paths"].items()
        for method, item in methods.items()
    }


def codes(document, item):
    """Return the code of every error that an operation can answer with."""
    answers = [resolved(document, answer) for answer in item["responses"].values()]
    bodies = [answer["content"]["application/json"] for answer in answers if "content" in answer]
    return {code for body in bodies for code in body.get("examples", ())}


# ---- lock 1: one object feeds router, validator and document


def test_the_document_and_the_list_of_routes_are_the_same(document):
    listing = commands.run([COMMAND, "routes"], capture_output=True, text=True, check=True)
    routes = [line.split() for line in listing.stdout.splitlines()[1:]]

    assert [(method, path, name) for method, path, name, *_ in routes] == [
        (method, path, name) for name, (method, path, _) in declared(document).items()
    ]
    for *_, name, scope, provenance in routes:
        item = declared(document)[name][2]
        assert (item.get("x-cnx-scope", "-"), item["x-cnx-provenance"]) == (scope, provenance)


def test_every_path_of_the_document_is_served_and_allows_what_the_document_says(document, sandbox, api):
    for path, methods in document["paths"].items():
        reply = api.call("TRACE", path.replace("{id}", "x"))

        allowed = {method.upper() for method in methods}
        assert reply.status == 405
        assert set(reply.headers["allow"].split(", ")) == allowed | ({"HEAD"} if "GET" in allowed else set())


def test_the_documents_constraints_are_the_validators(document, api, sandbox):
    body = document["components"]["schemas"]["InstanceCreate"]
    parameters = [resolved(document, each) for each in document["paths"]["/v1/instances"]["get"]["parameters"]]
    limit = next(each for each in parameters if each["name"] == "limit")["schema"]

    refused = api.post("/v1/instances", {}).details
    assert set(refused) == set(body["required"])
    assert body["additionalProperties"] is False
    assert api.get(f"/v1/instances?limit={limit['maximum']}").status == 200
    assert api.get(f"/v1/instances?limit={limit['maximum'] + 1}").status == 400
    for plan in resolved(document, body["properties"]["plan"])["enum"]:
        assert api.create(plan=plan)["plan"] == plan


# ---- locks 2 and 3: an operation does what it declares, or it does not run


@dataclass(slots=True, kw_only=True, eq=False)
class Thing(Shape):
    """The answer of the operations in these tests."""

    id: str


def perform(handler, **declaration):
    """Declare an operation, perform it, and return its reply."""
    things = Resource("things", "Things.")
    things.operation("POST", "/v1/things", provenance=added("a test"), **declaration)(handler)
    key = KeyRecord(id="key_0", name="k", digits="0" * 32, scopes=(), revoked=False, created=0)
    return things.operations[0].perform(Incoming((), "", b"", None), {Caller: Caller(key)})


def test_an_answer_of_the_declared_type_passes():
    def create() -> Thing:
        return Thing(id="a")

    assert perform(create, status=201).status == 201


def test_an_answer_of_another_type_raises():
    def create() -> Thing:
        return Deleted(id="a")  # type: ignore[return-value]

    with pytest.raises(DeclarationError, match="not Deleted"):
        perform(create)


def test_a_status_that_is_not_declared_raises():
    def create() -> Thing | Reply:
        return Reply(Thing(id="a"), status=202)

    with pytest.raises(DeclarationError, match="does not declare the status 202"):
        perform(create, status=201)


@pytest.mark.parametrize("refusal", [errors.InsufficientCredits, errors.QuotaExceeded, errors.InvalidState])
def test_an_error_that_is_not_declared_raises(refusal):
    def create() -> Thing:
        raise refusal

    with pytest.raises(DeclarationError, match=refusal.__name__):
        perform(create)
    with pytest.raises(refusal):
        perform(create, raises=(refusal,))


# ---- lock 4: everything that is declared happens, and nothing else does

RULES = [{"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80}]
BODIES = {
    "instances.create": lambda ids: {
        "name": "web-1",
        "plan": "pro",
        "region": "us-east-1",
        "image": "ubuntu-22.04-lts",
        "tags": ["web"],
    },
    "snapshots.create": lambda ids: {"instance_id": ids["instance"]},
    "firewalls.create": lambda ids: {"name": "web", "instance_ids": [ids["instance"]]},
    "firewalls.replace": lambda ids: {"name": "web"},
    "load_balancers.create": lambda ids: {"name": "lb", "regions": ["us-east-1"], "forwarding_rules": RULES},
    "load_balancers.replace": lambda ids: {"name": "lb", "regions": ["eu-west-1"], "forwarding_rules": RULES},
}
"""A valid body for every operation that has one."""

QUERIES = {"billing.reports": "start=2026-01-01&end=2026-02-01&timezone=Europe/Berlin"}
"""A valid query for every operation that requires one."""

INVALID_STATE = {
    "instances.create": lambda ids: {**BODIES["instances.create"](ids), "image": ids["creating"]},
    "snapshots.create": lambda ids: {"instance_id": ids["provisioning"]},
}
"""A body that refers to a resource in the wrong state, for every operation that can answer INVALID_STATE."""


class Driver:
    """One sandbox in which every operation can be made to give each of its declared answers."""

    def __init__(self, sandbox, api, client):
        self.sandbox, self.api, self.client = sandbox, api, client
        sandbox.clock.freeze()
        sandbox.account.rate_limit = "1000000/min"
        self.scopes = sandbox.account.scopes
        self.ids = {"image": "debian-12", "plan": "pro", "region": "us-east-1"}
        self.ids["instance"] = sandbox.instances.add()["id"]
        self.ids["provisioning"] = sandbox.instances.add(status="provisioning")["id"]
        self.ids["firewall"] = self.made("firewalls.create")
        self.ids["load_balancer"] = self.made("load_balancers.create")
        self.ids["creating"] = self.ids["snapshot"] = self.made("snapshots.create")

    def made(self, name):
        reply = self.call(OPERATIONS[name])
        assert reply.status == 201, reply.body
        return reply.json["id"]

    def call(self, operation, *, key=None, body=None, raw=None, query=None, unknown=False):
        """Call an operation correctly, except for what the arguments change."""
        path = operation.path
        for record_class in operation.records.values():
            noun = record_class.kind.noun
            path = path.replace("{id}", f"{noun}_0" if unknown else self.ids[noun])
        query = query or QUERIES.get(operation.name)
        if operation.body is not None and raw is None and body is None:
            body = BODIES[operation.name](self.ids)
        api = self.api if key is None else self.client(self.api.url, key)
        return api.call(operation.method, f"{path}?{query}" if query else path, body, raw=raw)

    def provoke(self, operation, code):
        """Make an operation answer with an error, and undo the changes that it took."""
        provoke = getattr(self, f"_{code.lower()}", None)
        assert provoke is not None, f"say here how to provoke {code}"
        return provoke(operation)

    def _unauthorized(self, operation):
        return self.call(operation, key="nonsense")

    def _live_key_rejected(self, operation):
        return self.call(operation, key="cnx_live_" + "0" * 32)

    def _payload_too_large(self, operation):
        return self.call(operation, raw=b" " * 70_000)

    def _rate_limited(self, operation):
        self.sandbox.account.rate_limit = "1/min"
        reply = self.call(operation)
        self.sandbox.account.rate_limit = "1000000/min"
        return reply

    def _internal_error(self, operation):
        with self.sandbox.inject(operation.name, error="INTERNAL_ERROR"):
            return self.call(operation)

    def _forbidden(self, operation):
        self.sandbox.account.scopes = [scope for scope in self.scopes if scope != operation.scope]
        reply = self.call(operation)
        self.sandbox.account.scopes = self.scopes
        return reply

    def _not_found(self, operation):
        return self.call(operation, unknown=True)

    def _bad_request(self, operation):
        return self.call(operation, raw=b"{")

    def _validation_error(self, operation):
        return self.call(operation, query="limit=0", body={"no_such_field": 1} if operation.body else None)

    def _invalid_state(self, operation):
        return self.call(operation, body=INVALID_STATE[operation.name](self.ids))

    def _quota_exceeded(self, operation):
        self.sandbox.use({"world": {"quotas": dict.fromkeys(QUOTAS, 0)}})
        reply = self.call(operation)
        self.sandbox.use({"world": {"quotas": dict.fromkeys(QUOTAS, 1000)}})
        return reply

    def _insufficient_credits(self, operation):
        self.sandbox.account.balance = "$4.99"
        reply = self.call(operation)
        self.sandbox.account.balance = "$100.00"
        return reply


QUOTAS = ["instances", "snapshots", "firewalls", "load_balancers"]


@pytest.fixture
def driver(sandbox, api, client):
    return Driver(sandbox, api, client)


def deletes_last(names):
    return sorted(names, key=lambda name: name.endswith(".delete"))


@cases("name", OPERATIONS)
def test_a_real_answer_is_of_the_declared_shape_to_the_letter(sandbox, api, client, name):
    driver = Driver(sandbox, api, client)
    operation = OPERATIONS[name]

    reply = driver.call(operation)

    assert reply.status in operation.statuses
    TypeAdapter(operation.answer).validate_json(reply.body, strict=True)


def test_the_judge_of_shapes_would_see_a_difference(driver):
    answer: Any = OPERATIONS["plans.get"].answer
    judge, body = TypeAdapter(answer), driver.call(OPERATIONS["plans.get"]).json

    for wrong in ({**body, "more": 1}, {**body, "vcpus": "4"}, {k: v for k, v in body.items() if k != "name"}):
        with pytest.raises(ValidationError):
            judge.validate_python(wrong, strict=True)


@cases("name", OPERATIONS)
def test_every_error_that_an_operation_declares_can_be_had(sandbox, api, client, document, name):
    driver = Driver(sandbox, api, client)
    item = declared(document)[name][2]

    for code in codes(document, item):
        reply = driver.provoke(OPERATIONS[name], code)
        assert reply.error["code"] == code, reply.body
        answer = resolved(document, item["responses"][str(reply.status)])
        assert code in answer["content"]["application/json"]["examples"]
        promised = {header.lower() for header in answer["headers"]}
        if code == "LIVE_KEY_REJECTED":  # shares its status with answers that were counted
            promised -= {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
        assert promised <= set(reply.headers)


def test_the_journal_of_everything_holds_exactly_what_is_declared(driver, document, server):
    everything = declared(document)
    for name in deletes_last(everything):
        for code in codes(document, everything[name][2]):
            driver.provoke(OPERATIONS[name], code)
        assert driver.call(OPERATIONS[name]).status < 400

    met: dict[str | None, set[str | int | None]] = {}
    for entry in driver.sandbox.requests:
        code = re.search('"code":"([A-Z_]+)"', entry.response_body or "")
        met.setdefault(entry.operation, set()).add(code[1] if code else entry.status)
    unseen = {"UNAUTHORIZED", "LIVE_KEY_REJECTED", "PAYLOAD_TOO_LARGE"}  # what reaches no sandbox
    assert met == {
        name: (codes(document, item) - unseen) | set(OPERATIONS[name].statuses)
        for name, (_, _, item) in everything.items()
    }


def test_every_error_of_the_catalogue_is_declared_somewhere_or_is_about_the_path(document):
    everywhere = set().union(*(codes(document, item) for _, _, item in declared(document).values()))

    assert set(errors.catalogue()) - everywhere == {
        "HTTPS_REQUIRED",
        "METHOD_NOT_ALLOWED",
        "REGION_UNAVAILABLE",
    }
