"""What a function answered: what it returned or raised, and that as plain data that can be compared between worlds."""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.compare import VARIES
from cnx_mock.sweep.state import FINAL_STATUS, WorldStates, resources

_DEEPEST = 50
"""How deep in each other lists and dicts are looked at."""
_PLACE = re.compile(r" at 0x[0-9a-fA-F]+")
"""The place of an object in memory, in its `repr`."""
_ADDRESS = re.compile(r"198\.1[89]\.[0-9]{1,3}\.[0-9]{1,3}|2001:db8(?::[0-9a-f]{0,4}){1,6}")
"""An address of a resource, which depends on its id or its number."""
_OF_THE_WORLD = {"created_at", "updated_at", "provisioned_at", "ipv4", "ipv6", "metrics"}
"""Fields of a resource that depend on time and on the order of creates: null at one time, and not at another."""
_SAME = "…"
"""What stands in the place of a value that differs from world to world."""


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """What a function returned, or the exception that it raised."""

    value: Any = None
    error: BaseException | None = None


def answer_of(function: Callable[[Any], Any], handle: Any) -> FunctionAnswer:
    """Call a function, and return what it answered. If it returns a coroutine, that is run to its end."""
    try:
        value = function(handle)
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
        return FunctionAnswer(value)
    except BaseException as error:  # also what pytest.fail and sys.exit raise
        if error.__traceback__ is not None:
            error.__traceback__ = error.__traceback__.tb_next  # without the frame of this function
        return FunctionAnswer(error=error)


async def _awaited(value: Any) -> Any:
    return await value


def comparable(answer: FunctionAnswer, states: WorldStates, urls: Sequence[str]) -> dict[str, Any]:
    """Return an answer as plain data. What differs from world to world is not in it: the id of a resource is its name,
    and times, addresses and the world's `urls` are the same word everywhere."""
    names = {each.id: each.name for each in resources(states)}
    text = _Text(names, urls)
    if answer.error is None:
        return {"returns": text.plain(answer.value)}
    message = f"{type(answer.error).__name__}: {answer.error}".removesuffix(": ")
    return {"raises": text.words(message)}


class _Text:
    def __init__(self, names: Mapping[str, str], urls: Sequence[str]) -> None:
        self._names = names
        self._hosts = [url.partition("://")[2] for url in urls]

    def words(self, text: str) -> str:
        """Return a text without ids, times and addresses of the world."""
        for host in self._hosts:
            text = text.replace(host, _SAME)
        return VARIES.sub(self._named, _ADDRESS.sub(_SAME, _PLACE.sub("", text)))

    def _named(self, found: re.Match[str]) -> str:
        return f"{found['kind']} {self._names.get(found[0], _SAME)}" if found["kind"] else _SAME

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if name in _OF_THE_WORLD:
            return _SAME
        return FINAL_STATUS.get(str(value), value) if name == "status" else self.plain(value, depth)

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return a value as plain data; of what is none, its `repr`."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.words(value)
        if depth < _DEEPEST:
            if isinstance(value, Mapping):
                return {self.words(str(key)): self._field(str(key), each, depth + 1) for key, each in value.items()}
            if isinstance(value, list | tuple):
                return [self.plain(each, depth + 1) for each in value]
            if isinstance(value, Set):
                return sorted(
                    (self.plain(each, depth + 1) for each in value), key=lambda each: json.dumps(each, default=repr)
                )
        return self.words(_shown(value))


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # it is the code under test that says how it is shown
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
