"""The OpenAPI document as `/openapi.json` and `cnx-mock openapi` show it.

Its examples are not invented: the operations are performed, in one story, in a sandbox like that of the reference's
own key. So an example of a create says what the server says, and its ids are those that a fresh server gives to the
first resources of that key.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from cnx_mock.api import openapi
from cnx_mock.api.caller import Caller
from cnx_mock.api.examples import Examples
from cnx_mock.api.operation import Incoming, Operation
from cnx_mock.api.surface import Surface, served
from cnx_mock.http.messages import replied
from cnx_mock.net.addresses import is_server_url
from cnx_mock.services import operations
from cnx_mock.text.units import parse_instant
from cnx_mock.world.account import SCOPES
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import MINUTE
from cnx_mock.world.keys import EXAMPLE_DIGITS
from cnx_mock.world.records import Record
from cnx_mock.world.sandbox import SandboxOptions, SandboxState

_START = "2026-01-01T00:00:00Z"
_ORDER = ("POST", "GET", "PUT", "DELETE")
"""Everything is created before anything is read, and deleted at the end."""


def document(surface: Surface, readings: Mapping[str, str], servers: Sequence[str]) -> dict[str, Any]:
    """Return the document of a surface under these readings, with examples. `servers` are the URLs of the API."""
    return openapi.document(served(operations(), surface), readings, surface, examples(readings), servers)


def servers(scheme: str, host: str | None) -> list[dict[str, str]]:
    """Return the servers of a document that is sent to a client: this server, by the address that the client used.

    `/` stays as the second: it is right behind a proxy that changes the address. It is alone if the Host header is
    missing, or is not a host.
    """
    url = f"{scheme}://{host}"
    return openapi.as_servers([url, "/"] if host and "/" not in host and is_server_url(url) else ["/"])


def examples(readings: Mapping[str, str]) -> Examples:
    """Return an example of every operation under these readings."""
    story = _ExampleSandbox(readings)
    for operation in sorted(operations(), key=lambda each: _ORDER.index(each.method)):
        story.perform(operation)
    return story.examples


class _ExampleSandbox:
    """A sandbox in which each operation is performed once, a minute after the one before."""

    def __init__(self, readings: Mapping[str, str]) -> None:
        options = SandboxOptions(start=parse_instant(_START), frozen=True, readings=readings)
        self._sandbox = SandboxState(EXAMPLE_DIGITS, 0, Catalogue(), options)
        self._caller = Caller(self._sandbox.add_key(EXAMPLE_DIGITS, "Default key", SCOPES))
        self._bodies: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}
        self._ids: dict[str, str] = {}
        self._path_ids: dict[str, str] = {}
        self.examples = Examples(self._bodies, self._answers, self._ids, self._path_ids)

    def perform(self, operation: Operation) -> None:
        """Perform an operation with the example of its declaration, and keep its answer."""
        ids = tuple(self._first(record) for record in operation.records.values())
        query = urlencode(_query(operation))
        incoming = Incoming(params=ids, query=query, body=self._body(operation), content_type=None)
        reply = operation.perform(incoming, {SandboxState: self._sandbox, Caller: self._caller})
        answer = replied(operation, reply, operation.path, query, self._sandbox.readings).body
        if answer:
            self._answers[operation.name] = orjson.loads(answer)
        if operation.method == "POST":
            new = str(self._answers[operation.name]["id"])
            self._ids[new.partition("_")[0]] = new
        if ids:
            self._path_ids[operation.name] = ids[0]
        self._sandbox.clock.advance(MINUTE)

    def _first(self, record: type[Record]) -> str:
        """Return the id of the first resource of a kind."""
        return str(next(iter(self._sandbox.table(record))).id)

    def _body(self, operation: Operation) -> bytes:
        """Return the request's body, the example of its declaration. It is empty for an operation without a body."""
        if operation.body is None:
            return b""
        declared = operation.body.model_json_schema()["examples"][0]
        self._bodies[operation.name] = self.examples.with_ids(declared)
        return orjson.dumps(self._bodies[operation.name])


def _query(operation: Operation) -> dict[str, Any]:
    """Return the query parameters that must be there, with the examples of their declarations."""
    schema = operation.query.model_json_schema() if operation.query else {}
    return {name: schema["properties"][name]["examples"][0] for name in schema.get("required", ())}
