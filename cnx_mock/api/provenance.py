"""How well founded a thing is, and the words or the reason behind it. Stands on operations, and in `Annotated` on
fields."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetJsonSchemaHandler

Kind = Literal["documented", "named", "implied", "added"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a thing comes from."""

    kind: Kind
    source: str

    def marks(self) -> dict[str, str]:
        """As the OpenAPI document shows it."""
        return {"x-cnx-provenance": self.kind, "x-cnx-source": self.source}

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.marks()}


def documented(words: str) -> Provenance:
    """The reference's own words."""
    return Provenance("documented", words)


def named(words: str) -> Provenance:
    """The reference names it and gives no shape."""
    return Provenance("named", words)


def implied(words: str) -> Provenance:
    """A sentence of the reference cannot be true without it."""
    return Provenance("implied", words)


def added(why: str) -> Provenance:
    """Ours."""
    return Provenance("added", why)
