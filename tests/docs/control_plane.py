"""The reference of the control plane: every call with a curl example. A test runs the examples in this order."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, RootModel

from cnx_mock.api.operation import Operation
from cnx_mock.audit import control as audit
from cnx_mock.http import control
from tests.docs.markdown import fenced, page, sentence, table

KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
BASE = "http://127.0.0.1:4269"
SANDBOX = "sbx_5fb51ccbe7c6"
INSTANCE = "inst_b4923d508204cd66"
REQUEST = "req_5827e720eac94c34"

_INTRO = """The control plane is the mock's own API, under `/_mock`. It answers only this machine, unless
`--control-token` or `--control-from` allow others. Rules and rate limits do not apply to it, and the journal does not
show its calls.

The key in the `Authorization` header selects the sandbox, or the sandbox's id in the header `X-CNX-Mock-Sandbox`.
Without both, a call is about the server, or about new sandboxes. A web page can use a sandbox's id only if the page
comes from this server. Errors have the API's error body. Lists are `{"data": […]}`. An unknown field
of a body or of a query is an error. A POST whose fields are all optional needs no body.

In Python, `sandbox.call("PATCH", "/account", {"balance": "$5.03"})` makes the same calls."""


@dataclass(frozen=True)
class Example:
    """A call as an example shows it."""

    body: Any = None
    query: str = ""
    keyed: bool = True
    path: dict[str, str] = field(default_factory=dict)


EXAMPLES = {
    "_mock.sandboxes.index": Example(keyed=False),
    "_mock.sandboxes.health": Example(keyed=False),
    "_mock.sandboxes.list": Example(keyed=False),
    "_mock.sandboxes.create": Example({"scenario": "lost-response", "seed": 7}, keyed=False),
    "_mock.sandboxes.delete": Example(keyed=False, path={"id": SANDBOX}),
    "_mock.sandboxes.reset": Example(),
    "_mock.clock.get": Example(),
    "_mock.clock.change": Example({"speed": 60}),
    "_mock.clock.advance": Example({"by": "45s"}),
    "_mock.account.get": Example(),
    "_mock.account.change": Example({"balance": "$5.03", "rate_limit": "10/min"}),
    "_mock.usage.get": Example(),
    "_mock.instances.list": Example(),
    "_mock.instances.add": Example({"name": "web-1", "status": "running"}),
    "_mock.instances.change": Example({"status": "stopped"}, path={"id": INSTANCE}),
    "_mock.snapshots.list": Example(),
    "_mock.firewalls.list": Example(),
    "_mock.load_balancers.list": Example(),
    "_mock.provisioning.list": Example(),
    "_mock.expectations.check": Example({"instances": [{"name": "web-1", "status": "stopped"}]}),
    "_mock.readings.list": Example(),
    "_mock.readings.change": Example({"delete-answer": "204"}),
    "_mock.rules.list": Example(),
    "_mock.rules.clear": Example(),
    "_mock.rules.recover": Example({}),
    "_mock.rules.add": Example({"match": {"operation": "instances.create"}, "fault": {"error": "INTERNAL_ERROR"}}),
    "_mock.rules.get": Example(path={"id": "slow-reads"}),
    "_mock.rules.put": Example(
        {"match": {"method": "GET"}, "fault": {"latency": "200ms"}, "ttl": "5m"}, path={"id": "slow-reads"}
    ),
    "_mock.rules.change": Example({"probability": 0.5}, path={"id": "slow-reads"}),
    "_mock.rules.delete": Example(path={"id": "slow-reads"}),
    "_mock.scenario.get": Example(),
    "_mock.scenario.put": Example({"name": "flapping"}),
    "_mock.scenario.delete": Example(),
    "_mock.scenario.list": Example(keyed=False),
    "_mock.story.get": Example(),
    "_mock.story.jump": Example({"phase": "down"}),
    "_mock.story.file": Example(),
    "_mock.vocabulary.operation_list": Example(keyed=False),
    "_mock.vocabulary.call_list": Example(keyed=False),
    "_mock.vocabulary.fault_list": Example(keyed=False),
    "_mock.requests.list": Example(query="since=0&operation=instances.*&limit=10"),
    "_mock.requests.clear": Example(),
    "_mock.requests.get": Example(path={"request_id": REQUEST}),
    "_mock.replay.get": Example(path={"request_id": REQUEST}),
    "_mock.events.follow": Example(),
    "_mock.state.get": Example(),
    "_mock.state.put": Example({"name": "small-team"}),
    "_mock.audit.audit": Example(query="ignore=busy-poll"),
    "_mock.audit.journals": Example(),
}
"""An example for each operation."""


def operations() -> list[Operation]:
    """Every operation of the control plane."""
    return [each for resource in (*control.resources(), audit.resource) for each in resource.operations]


def curl(operation: Operation) -> list[str]:
    """The example as lines of a command; all but the last end with a backslash."""
    example = EXAMPLES[operation.name]
    path = operation.path
    for name, value in example.path.items():
        path = path.replace(f"{{{name}}}", value)
    address = f"{BASE}{path}" + (f"?{example.query}" if example.query else "")
    address = f"'{address}'" if "&" in address else address
    method = "" if operation.method == "GET" else f"-X {operation.method} "
    lines = [f"curl {method}{address}"]
    if example.keyed:
        lines.append(f'    -H "Authorization: Bearer {KEY}"')
    if example.body is not None:
        lines.append(f"    -d '{json.dumps(example.body)}'")
    return lines


def control_page() -> str:
    """The page."""
    rows = ([f"`{each.method} {each.path}`", sentence(each.summary)] for each in operations())
    parts = [part for each in operations() for part in _operation(each)]
    return page("Control plane", _INTRO, table(["call", "what it does"], rows), *parts)


def _operation(operation: Operation) -> Iterator[str]:
    yield f"## `{operation.method} {operation.path}`"
    yield sentence(operation.summary)
    lines = curl(operation)
    yield fenced("console", "$ " + " \\\n".join(lines))
    if operation.query is not None:
        yield table(["query parameter", "meaning"], _fields(operation.query))
    if operation.body is not None and issubclass(operation.body, RootModel):
        yield f"Body: {sentence(operation.body.__doc__ or '')}"
    elif operation.body is not None:
        yield table(["body field", "meaning"], _fields(operation.body))
    shape = operation.answer_type
    yield f"Answer: {' or '.join(map(str, operation.statuses))}. {sentence(shape.__doc__ or '')}"


def _fields(model: type[BaseModel]) -> Iterator[list[str]]:
    for name, each in model.model_fields.items():
        yield [f"`{each.alias or name}`", sentence(each.description or "")]
