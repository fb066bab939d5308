"""Routing: from a method and a path to an operation. Paths are not decoded before: `%2F` is part of an id."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from cnx_mock.api.errors import MethodNotAllowed, NotFound
from cnx_mock.api.operation import Operation
from cnx_mock.dataclass import dataclass
from cnx_mock.text.suggestions import did_you_mean

Found = tuple[Mapping[str, Operation], tuple[str, ...]]


def is_api_path(path: str) -> bool:
    """Return whether a path belongs to the API, be there an operation at it or not."""
    return path.startswith("/v1/")


def is_control_path(path: str) -> bool:
    """Return whether a path belongs to the control plane."""
    return path.startswith("/_mock")


@dataclass(slots=True)
class _Node:
    words: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    methods: dict[str, Operation] = field(default_factory=dict)


class Router:
    """All operations by path. A literal part wins over a parameter: `/v1/instances/legacy` is not an id."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = list(operations)
        self.names = {operation.name: operation for operation in self.operations}
        self._root = _Node()
        self._plain: dict[str, Found] = {}
        for operation in self.operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        for part in operation.path.split("/"):
            if part.startswith("{"):
                node.any = node = node.any or _Node()
            else:
                node = node.words.setdefault(part, _Node())
        node.methods[operation.method] = operation
        if operation.method == "GET":
            node.methods["HEAD"] = operation
        if not operation.params:
            self._plain[operation.path] = (node.methods, ())

    def find(self, path: str) -> Found | None:
        """Return the operations at a path, by method, and the parameters in the path; None if there is none."""
        plain = self._plain.get(path)
        if plain is not None:
            return plain
        node, params = self._root, []
        for part in path.split("/"):
            if part in node.words:
                node = node.words[part]
            elif node.any is not None and part:
                node = node.any
                params.append(part)
            else:
                return None
        return (node.methods, tuple(params)) if node.methods else None

    def refusal(self, method: str, path: str) -> NotFound | MethodNotAllowed:
        """Return the error for a request without an operation: the path is unknown, or only the method is."""
        found = self.find(path)
        if found is None:
            return NotFound(path=path[:500] + did_you_mean(path, (operation.path for operation in self.operations)))
        allowed = ", ".join(sorted(found[0]))
        return MethodNotAllowed(method=method[:100], allowed=allowed)
