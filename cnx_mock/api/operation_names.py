"""What is probably meant by the name of an operation that does not exist: a misspelt name, a request, a path, or the id
that the OpenAPI document has."""

import re
from collections.abc import Iterable

from cnx_mock.api.operation import Operation
from cnx_mock.api.router import Router
from cnx_mock.text.suggestions import did_you_mean_operation, one_of

_REQUEST = r"(?:([A-Za-z]+)\s+)?(/[^\s?]*)"


def no_operation(word: str, operations: Iterable[Operation]) -> str:
    """Return the sentence for an operation that does not exist, such as "no operation is called 'POST /v1/instances',
    did you mean 'instances.create'?"."""
    return f"no operation is called {word!r}{_hint(word, list(operations))}"


def _hint(word: str, operations: list[Operation]) -> str:
    if found := re.match(_REQUEST, word):
        return _of_request(found[1], found[2], operations)
    plain = _plain(word)
    for operation in operations:
        if plain == _plain(operation.operation_id):
            return f", did you mean '{operation.name}'?"
    return did_you_mean_operation(word, [each.name for each in operations])


def _of_request(method: str | None, path: str, operations: list[Operation]) -> str:
    methods, _ = Router(operations).find(path) or ({}, ())
    names = list(dict.fromkeys(each.name for each in methods.values()))
    meant = methods.get((method or "").upper())
    if meant is not None or len(names) == 1:
        return f", did you mean '{meant.name if meant else names[0]}'?"
    return f" ({path} has {one_of(names)})" if names else " (`cnx-mock routes` lists them)"


def _plain(name: str) -> str:
    """Return a name in the spelling that `create_instance` and `createInstance` share."""
    return name.replace("_", "").lower()
