"""Readings: the ambiguities of the reference, each declared once, here.

The default of a reading invents the least new behaviour. Its other options can be chosen, to test a client against
every meaning that the reference allows.
"""

from collections.abc import Iterable, Mapping

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import Problem, ReadingError
from cnx_mock.text.suggestions import did_you_mean, one_of


@dataclass(frozen=True, slots=True)
class Reading:
    """One ambiguity of the reference."""

    name: str
    words: str
    """The ambiguous words, or what is missing."""
    options: tuple[str, ...]
    """What they can mean; the default first."""
    why: str
    """The reason for the default."""

    @property
    def default(self) -> str:
        """The current option if no other is chosen."""
        return self.options[0]

    def of(self, chosen: Mapping[str, str]) -> str:
        """Return the current option. `chosen` has options by the names of their readings."""
        return chosen.get(self.name, self.options[0])


CREDITS_STATUS = Reading(
    "insufficient-credits-status",
    "the error example has no status",
    ("403", "402", "400"),
    "402 is not in the list of codes; 403 is the listed one that refuses a well-formed request",
)
DELETE_ANSWER = Reading(
    "delete-answer",
    "DELETE has no shape; 204 is not in the list of codes",
    ("200-body", "200-empty-object", "204"),
    "200 is listed, and a body that repeats the id cannot be mistaken",
)
LIST_ENVELOPE = Reading(
    "list-envelope",
    '"Returns a paginated list"',
    ("nested", "flat", "bare"),
    "an object can grow, and keeps what is data apart from what is about it",
)
LIMIT_ABOVE_MAX = Reading(
    "limit-above-max",
    '"Items per page (max 100)"',
    ("reject", "clamp"),
    "a maximum that is silently corrected hides a client's mistake",
)
TAGS_MATCH = Reading(
    "tags-match",
    '"filtering by region, status, and tags"',
    ("all", "any"),
    "filters narrow a list, and the other filters add up the same way",
)
RATE_WINDOW = Reading(
    "rate-window",
    '"requests/minute"',
    ("anchored", "aligned", "sliding"),
    "the documented reset 1702834567 is at second :07, so windows are not aligned, and it is one instant",
)
VALIDATION_STATUS = Reading(
    "validation-status",
    "422 is not in the list of codes",
    ("400", "422"),
    "400 is the listed one",
)
INSTANCE_NAMES = Reading(
    "instance-names",
    'name = "Instance identifier"',
    ("free", "unique"),
    "the id identifies; nothing says that a name is refused",
)
LIVE_KEY_STATUS = Reading(
    "live-key-status",
    '"cnx_live_ prefix affect production resources"',
    ("403", "401"),
    "the key is understood, and refused",
)
UNKNOWN_BODY_FIELD = Reading(
    "unknown-body-field",
    "the table of fields is the whole contract, or not",
    ("reject", "ignore"),
    "a misspelt optional field that is ignored is a bug that nobody sees",
)

READINGS = (
    CREDITS_STATUS,
    DELETE_ANSWER,
    LIST_ENVELOPE,
    LIMIT_ABOVE_MAX,
    TAGS_MATCH,
    RATE_WINDOW,
    VALIDATION_STATUS,
    INSTANCE_NAMES,
    LIVE_KEY_STATUS,
    UNKNOWN_BODY_FIELD,
)


def in_force(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the current option of every reading, by name."""
    return {reading.name: reading.of(chosen) for reading in READINGS}


def wrong(chosen: Mapping[str, object]) -> list[Problem]:
    """Return the problems of a choice of readings: unknown names and unknown options."""
    known = {reading.name: reading for reading in READINGS}
    found = []
    for name, option in chosen.items():
        if name not in known:
            hint = did_you_mean(name, known) or ": see `cnx-mock readings`"
            found.append(Problem((name,), f"is not a reading{hint}", at_key=True))
        elif option not in known[name].options:
            options = known[name].options
            quotes = "" if isinstance(option, str) else " (as text, in quotes)"
            found.append(Problem((name,), f"must be one of: {one_of(options, option)}{quotes}"))
    return found


def parsed(given: Iterable[str]) -> dict[str, str]:
    """Return a choice from texts of the form `NAME=VALUE`. Raises ReadingError for the first wrong one,
    and for a reading that is chosen twice with different options."""
    chosen: dict[str, str] = {}
    for text in given:
        name, equals, option = text.partition("=")
        if not equals:
            raise ReadingError(f"a reading is chosen as NAME=VALUE, not {text!r}")
        for problem in wrong({name: option}):
            raise ReadingError(problem.named)
        if chosen.get(name, option) != option:
            raise ReadingError(f"reading '{name}' is chosen twice: {chosen[name]!r} and {option!r}")
        chosen[name] = option
    return chosen
