"""What a shell offers after a Tab, beside commands and options: names of scenarios, faults, operations and so on.

What needs a slow import is imported when it is asked for: most completions are of commands and options.
"""

from collections.abc import Callable, Iterable, Mapping

import click
from click.shell_completion import CompletionItem

from cnx_mock.text.shipped import names

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""What click calls for the value of an option or an argument, with the word as far as it is written."""


def _names(found: Callable[[], Iterable[str]], *, files: bool = False) -> Completion:
    """Return a completion of these names, and of paths if `files` is set."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        items = [CompletionItem(each) for each in found() if each.startswith(incomplete)]
        return [*items, CompletionItem(incomplete, type="file")] if files else items

    return complete


def listed(found: Callable[[], Iterable[str]]) -> Completion:
    """Return a completion of the last of several names with commas between them; `!` before a name stays."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        head = before + comma + ("!" if last.startswith("!") else "")
        used = {each.strip() for each in before.split(",")}
        return [
            CompletionItem(head + each)
            for each in found()
            if each.startswith(last.removeprefix("!")) and each not in used
        ]

    return complete


def _operations() -> list[str]:
    from cnx_mock.services import operations as declared  # lazy: all of the API

    return [each.name for each in declared()]


def _readings() -> list[str]:
    from cnx_mock.api.readings import READINGS  # lazy: most completions need no readings

    return [f"{each.name}={option}" for each in READINGS for option in each.options]


def _surfaces() -> list[str]:
    from typing import get_args  # lazy: with the next

    from cnx_mock.api.surface import Surface  # lazy: as for readings

    return list(get_args(Surface))


def sweep_faults() -> list[str]:
    """Return the names of the sweep's faults."""
    from cnx_mock.sweep.plan import FAULTS  # lazy: all of the sweep

    return [each.name for each in FAULTS]


def verdicts() -> list[str]:
    """Return the sweep's verdicts, and the word for none."""
    from cnx_mock.sweep.verdict import VERDICTS  # lazy: all of the sweep

    return [*VERDICTS, "none"]


def _error_codes() -> list[str]:
    from cnx_mock.api.errors import catalogue  # lazy: with the API

    return sorted(catalogue())


def _words_of(key: str) -> Callable[[], list[str]]:
    """Return a function that returns the words that a key of a fault takes."""

    def found() -> list[str]:
        from cnx_mock.scenario.faults import words_of  # lazy: with pydantic

        return words_of(key)

    return found


def _checks() -> list[str]:
    from cnx_mock.audit.checks import checks  # lazy: all of the audit

    return [each.code for each in checks()]


def _stories() -> list[str]:
    from cnx_mock.demo.stories import STORIES  # lazy: with pydantic

    return [*STORIES, *(each for each in names("scenarios") if each not in STORIES)]


scenarios = _names(lambda: names("scenarios"), files=True)
stories = _names(_stories, files=True)
fixtures = _names(lambda: names("fixtures"), files=True)
operations = _names(_operations)
operation_list = listed(_operations)
readings = _names(_readings)
audit_checks = _names(_checks)
files = _names(lambda: (), files=True)

SETTINGS: Mapping[str, Completion] = {
    "scenario": scenarios,
    "fixture": fixtures,
    "reading": readings,
    "surface": _names(_surfaces),
    "ca_dir": lambda _, __, incomplete: [CompletionItem(incomplete, type="dir")],
}
"""Completions of the settings' values, by the settings' names."""

RULE: Mapping[str, Completion] = {
    "error": _names(_error_codes),
    "connection": _names(_words_of("connection")),
    "body": _names(_words_of("body")),
    "at": _names(lambda: ("before", "after")),
    "per": _names(lambda: ("sandbox", "resource")),
    "then": _names(lambda: ("pass", "repeat", "last")),
}
"""Completions of the values of a rule's keys."""
