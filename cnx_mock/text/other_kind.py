"""A file of one kind that is read as another: a scenario where a fixture belongs, and the other way round."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from cnx_mock.errors import Problem

SCENARIO = ("expect", "phases", "provisioning", "repeat", "rules", "seed", "world")
"""The keys of a scenario that a fixture does not have."""
FIXTURE = ("accounts", "chance", "clock", "generate")
"""The keys of a fixture that a scenario does not have, at its top."""


def of_other_kind(problems: Iterable[Problem], keys: Collection[str], kind: str) -> list[Problem]:
    """Return the problems; those of unknown keys at the top that files of another kind have say which `kind` has
    them."""
    return [
        replace(each, message=f"is a key of a {kind}, but this is another kind of file")
        if each.at_key and each.path in {(key,) for key in keys}
        else each
        for each in problems
    ]
