"""Provenance: what in the reference an operation or a field is based on. Declared on operations, and on fields in
`Annotated`."""

from typing import Any, Literal

from cnx_mock.api.declarations import GetJsonSchemaHandler
from cnx_mock.dataclass import dataclass

ProvenanceKind = Literal["documented", "named", "implied", "added"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an operation or a field is based on."""

    kind: ProvenanceKind
    source: str
    """A quotation from the reference, or the reason if it is `added`."""

    def marks(self) -> dict[str, str]:
        """Return the extension keywords for the OpenAPI document."""
        return {"x-cnx-provenance": self.kind, "x-cnx-source": self.source}

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.marks()}


def documented(words: str) -> Provenance:
    """Return the provenance of something that the reference describes, with its words."""
    return Provenance("documented", words)


def named(words: str) -> Provenance:
    """Return the provenance of something that the reference names but does not describe."""
    return Provenance("named", words)


def implied(words: str) -> Provenance:
    """Return the provenance of something that a sentence of the reference requires."""
    return Provenance("implied", words)


def added(why: str) -> Provenance:
    """Return the provenance of something that is not in the reference, with the reason for it."""
    return Provenance("added", why)
