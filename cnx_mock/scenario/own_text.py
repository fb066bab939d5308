"""The values of a rule that are strings on the wire. From a file they are taken as written, not as YAML reads them.

YAML reads `1.10` as the number 1.1, `True` as a boolean, and `0x1F` as 31. A header's value is none of these: it is the
text `1.10`. Plain data (JSON, Python) has no such text, so a number with a fraction is refused there.
"""

from typing import TYPE_CHECKING, Any

from cnx_mock.errors import Path
from cnx_mock.text.patterns import ANY

if TYPE_CHECKING:
    from cnx_mock.text.source import Source

_HEADERS: Path = ("headers", "set", ANY)

_IN_A_RULE: tuple[Path, ...] = (
    ("match", "path"),
    ("match", "resource"),
    ("match", "query", ANY),
    ("match", "header", ANY),
    ("fault", *_HEADERS),
    ("sequence", ANY, *_HEADERS),
    _HEADERS,  # `inject` and the fault header write a fault's keys beside the rule's
)


def scenario_data(source: "Source") -> Any:
    """Return the data of a scenario file."""
    return source.with_texts([("rules", ANY, *path) for path in _IN_A_RULE])


def rule_value(source: "Source", key: str) -> Any:
    """Return the data of a text that is the value of one of a rule's keys."""
    return source.with_texts([path[1:] for path in _IN_A_RULE if path[0] == key])


def text_of(value: object) -> str | None:
    """Return a value as its text; None for null. Raises ValueError for a value that has no text of its own."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return str(value)
    if isinstance(value, int):
        raise ValueError(
            "is a string, and a number of more than 64 bits can be read in several ways: write it in quotes"
        )
    if isinstance(value, float):
        raise ValueError(f"is a string, and the number {value!r} can be written in several ways: write it in quotes")
    raise ValueError("must be a single value, or a list of them")
