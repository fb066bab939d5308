"""How the OpenAPI document of a field depends on a reading: declared on the field itself."""

from collections.abc import Mapping
from typing import Any

from cnx_mock.api.declarations import GetJsonSchemaHandler
from cnx_mock.api.readings import Reading
from cnx_mock.dataclass import dataclass

_NOTES = "x-under-reading"
"""The schema keyword that carries the declarations until `settled` removes it."""


@dataclass(frozen=True, slots=True)
class UnderReading:
    """A change to the schema of a field that holds only if a reading has a certain option. Used in `Annotated`."""

    reading: Reading
    option: str
    changes: Mapping[str, Any]
    """The keywords that change, with their new values; None removes a keyword."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler(schema)
        note = {"reading": self.reading.name, "option": self.option, "changes": dict(self.changes)}
        return {**found, _NOTES: [*found.get(_NOTES, ()), note]}


def settled(field: Mapping[str, Any], readings: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema of a field as the chosen readings have it, without the declarations."""
    found = dict(field)
    for note in found.pop(_NOTES, ()):
        if readings.get(note["reading"]) == note["option"]:
            found |= note["changes"]
            found = {
                keyword: value for keyword, value in found.items() if note["changes"].get(keyword, ...) is not None
            }
    return found
