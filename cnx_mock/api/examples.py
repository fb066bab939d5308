"""The examples of a document: a request and an answer for each operation, as they go over the wire."""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from cnx_mock.api.operation import Operation
from cnx_mock.dataclass import dataclass

_EXAMPLE_ID = re.compile(r"([a-z]+)_8f7e6d5c4b3a2f1e")
"""The id of the examples in declarations: the reference's own, with the prefix of any kind."""


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of the operations, by their names. An operation without an example gets none."""

    bodies: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    """The id of one resource of each kind, by the prefix of its ids: `inst`."""
    path_ids: Mapping[str, str] = field(default_factory=dict)
    """The id in the path of each operation that has one, by the operation's name."""

    def body(self, operation: Operation) -> dict[str, Any]:
        """Return the keyword `example` of the operation's request, if there is one."""
        return _example(self.bodies, operation)

    def answer(self, operation: Operation) -> dict[str, Any]:
        """Return the keyword `example` of the operation's success, if there is one."""
        return _example(self.answers, operation)

    def with_ids(self, value: Any) -> Any:
        """Return a value of a declaration's example with the ids of these examples."""
        if isinstance(value, str):
            return _EXAMPLE_ID.sub(lambda found: self.ids.get(found[1], found[0]), value)
        if isinstance(value, dict):
            return {name: self.with_ids(each) for name, each in value.items()}
        return [self.with_ids(each) for each in value] if isinstance(value, list) else value


def _example(known: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    return {"example": known[operation.name]} if operation.name in known else {}
