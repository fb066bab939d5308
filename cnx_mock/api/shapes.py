"""The answers of operations: slotted dataclasses that encode themselves as JSON and cache it."""

from dataclasses import fields
from typing import Annotated, Any, Generic, Self, TypeVar

from cnx_mock.api.declarations import ConfigDict, Field
from cnx_mock.dataclass import dataclass
from cnx_mock.text.tight_json import tight_json


class Shape:
    """Base of every answer. An answer can be sent several times, and is never changed."""

    __slots__ = ("_json",)
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    def __repr__(self) -> str:
        """Return its class and its fields. (One for all: a `__repr__` for each dataclass takes a start's time.)"""
        given = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(given)})"

    def json(self) -> bytes:
        """Return its JSON. It is encoded once."""
        try:
            return self._json
        except AttributeError:
            self._json: bytes = self.encode()
            return self._json

    @classmethod
    def of_json(cls, json: bytes, id: str) -> Self:
        """Return an answer with nothing but JSON and an id: it can be sent, but its fields cannot be read."""
        made: Any = object.__new__(cls)
        made._json, made.id = json, id
        return made  # type: ignore[no-any-return]

    def keep_json(self, json: bytes) -> None:
        """Keep the JSON that is known already."""
        self._json = json

    def encode(self) -> bytes:
        """Return its JSON, encoded now."""
        return tight_json(self)


def shape(cls: type[Any]) -> Any:
    """Declare an answer: a slotted dataclass, keyword arguments only."""
    return dataclass(slots=True, kw_only=True, eq=False, repr=False)(cls)


@dataclass(slots=True, eq=False)
class Reply:
    """An answer with its own status, location or headers, in place of the default ones of its operation."""

    shape: Shape
    status: int | None = None
    location: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Deleted(Shape):
    """Confirms that a resource was deleted."""

    id: Annotated[str, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The id of the deleted resource."""
    deleted: bool = True
    """Always true."""


S = TypeVar("S", bound=Shape)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Listing(Shape, Generic[S]):
    """A short list without pages."""

    data: list[S]
    """The items."""

    def encode(self) -> bytes:
        """Return its JSON, joined from that of its items: some of them have nothing else."""
        return b'{"data":[%b]}' % b",".join([item.json() for item in self.data])
