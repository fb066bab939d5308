"""Every error that cnx-mock raises for you to catch, in one tree:

    CnxMockError
    ├── InvalidInputError           something you wrote cannot be used (also a ValueError)
    │   ├── SettingsError           an option
    │   ├── ReadingError            a NAME=VALUE that is not a reading
    │   ├── SourceError             a YAML file: every problem as file:line:col
    │   ├── DocumentError           plain data: every problem by its path
    │   │   ├── ScenarioError       … of a scenario or a rule
    │   │   └── FixtureError        … of a fixture
    │   ├── UnknownScenario         no scenario has that name (also a LookupError)
    │   ├── UnknownFixture          no fixture has that name (also a LookupError)
    │   ├── UnknownAttribute        a handle has no such attribute, or it cannot be set (also an AttributeError)
    │   ├── UnknownResource         a sandbox has no resource with that name or id, or several (also a KeyError)
    │   ├── ClockError              a change that a sandbox's clock refuses
    │   ├── AuditError              a check or a threshold that does not exist
    │   ├── SweepPlanError          a fault or an operation that a sweep does not know
    │   ├── BaselineError           a file that is not an earlier report of a sweep
    │   └── UsageError              anything else on a command line
    ├── StartError                  the server cannot start (also a RuntimeError)
    │   ├── ListenError             it cannot listen at that address (also an OSError)
    │   └── CertificateError        the local certificate authority cannot be used
    ├── StopError                   the server did not stop in time (also a RuntimeError)
    ├── NotRunningError             the server does not run, or lacks what was asked for (also a RuntimeError)
    ├── InterceptionError           the API's name already leads to another server (also a RuntimeError)
    ├── ControlError                the control plane of a running server refused a call
    │   └── InputRefusedError       … because of what you sent (also an InvalidInputError)
    │       ├── ScenarioRefusedError    … a scenario or a rule (also a ScenarioError)
    │       └── FixtureRefusedError     … a fixture (also a FixtureError)
    ├── ServerNotFoundError         no cnx-mock answers at that URL (also a ConnectionError)
    ├── ProgramError                a program cannot be started
    ├── SweepError                  a program cannot be swept
    ├── RaceError                   two functions at once do what neither order does (also an AssertionError)
    └── EgressError                 the egress guard stopped a connection (also a PermissionError)

    ScenarioWarning                 something in a scenario or a rule can never happen (a UserWarning)

The answers that the API itself gives to a bad request are in `api/errors.py`. This module imports nothing of ours, so
that every room can raise its errors.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath

from cnx_mock.dataclass import dataclass

Path = tuple[str | int, ...]
"""A place in a document: keys and indexes from the top."""

_EXCERPT_WIDTH = 100
"""Characters of a long source line that an excerpt shows."""

REDACTED = "cnx_live_redacted"
"""What stands in the place of a live key."""

_LIVE_KEY = r"(?i)cnx[_-]live[_-][0-9a-z_-]+"
"""A live key as people write it; `text/live_keys.py`, which lies above, also finds encoded ones."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place in a document; `at_key` points at the key rather than at its value.

    The message goes on from the key's name ("must be …"), unless it is a whole `sentence`.
    """

    path: Path
    message: str
    at_key: bool = False
    sentence: bool = False

    @property
    def named(self) -> str:
        """The message with the key's name in it: `'times' must be at least 1`, `unknown key 'tmes'`."""
        name = self.path[-1] if self.path else None
        if noun := re.match(r"unknown \w+", self.message):
            return f"{noun[0]} '{name}'{self.message[noun.end() :]}"
        if not isinstance(name, str):
            return self.message
        return f"'{name}'{':' if self.sentence else ''} {self.message}"


@dataclass(frozen=True, slots=True, order=True)
class SourceProblem:
    """What is wrong at a place in a file; line and column count from 1. Both are 0 if it is the file as a whole."""

    file: str
    line: int
    column: int
    message: str

    @property
    def place(self) -> str:
        """The file, and the line and column if there are any: `story.yaml:3:5`."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class CnxMockError(Exception):
    """The root of the tree: catch it to catch every error of cnx-mock."""

    def __str__(self) -> str:
        return without_live_keys(self._text())  # it ends up in logs

    def _text(self) -> str:
        return str(self.args[0]) if len(self.args) == 1 else super().__str__()


# ---- what you wrote cannot be used


class InvalidInputError(CnxMockError, ValueError):
    """Something you wrote cannot be used; the message says why, and what to write instead."""


class SettingsError(InvalidInputError):
    """A value that an option does not take; the message names the option."""


class ReadingError(InvalidInputError):
    """A text that is not `NAME=VALUE`, or names a reading or an option that does not exist."""


class SourceError(InvalidInputError):
    """A YAML file is refused. `problems` has everything found in it; `str()` has one line for each problem."""

    def __init__(self, problems: Iterable[SourceProblem], lines: Sequence[str] = ()) -> None:
        """`lines` is the source, safe to print on a terminal, for `excerpt`."""
        self.problems = tuple(sorted(set(problems)))
        self.lines = tuple(lines)
        super().__init__(self.problems, self.lines)  # the arguments again: pickle rebuilds the error from them

    def _text(self) -> str:
        return "\n".join(map(str, self.problems))

    def excerpt(self) -> str:
        """Return each problem, followed by its line of the source and a caret below the column."""
        shown = (self.lines[each.line - 1] if 0 < each.line <= len(self.lines) else "" for each in self.problems)
        return "\n".join(f"{each}{_caret(line, each.column)}" for each, line in zip(self.problems, shown, strict=True))


class DocumentError(InvalidInputError):
    """Plain data is refused. `problems` has everything that is wrong with it, by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def _text(self) -> str:
        return "\n".join(map(problem_line, self.problems))


class ScenarioError(DocumentError):
    """A scenario or a rule that cannot be used."""


class FixtureError(DocumentError):
    """A fixture that cannot be used."""


class UnknownScenario(InvalidInputError, LookupError):
    """No scenario has that name, and no file is at that path; the message says which there are."""


class UnknownFixture(InvalidInputError, LookupError):
    """No fixture has that name; the message says which there are."""


class UnknownAttribute(InvalidInputError, AttributeError):
    """A handle of the Python API has no attribute with that name, or it cannot be set; the message says what can."""


class UnknownResource(InvalidInputError, KeyError):
    """A sandbox has no resource with that name or id, or several with that name; the message says which there are."""


class ClockError(InvalidInputError):
    """A change that a sandbox's clock refuses; the message says why."""


class AuditError(InvalidInputError):
    """A check or a threshold that does not exist, or a value that a threshold does not take."""


class SweepPlanError(InvalidInputError):
    """A fault or an operation that a sweep does not know; the message says which there are."""


class BaselineError(InvalidInputError):
    """A file that is not an earlier JSON report of a sweep; the message says why."""


class UsageError(InvalidInputError):
    """Something on a command line cannot be used; the message says why, and what to write instead."""


# ---- servers, programs, connections


class StartError(CnxMockError, RuntimeError):
    """The server cannot start; the message says why."""


class ListenError(OSError, StartError):
    """The server cannot listen at that address: the port is in use, or the address is not this machine's."""

    place: tuple[str, int] | None = None
    """The address and the port, if the port is in use."""

    __str__ = CnxMockError.__str__  # not OSError's

    def _text(self) -> str:
        return str(self.strerror)


class CertificateError(StartError):
    """The local certificate authority cannot be used; the message says why, and what to do."""


class StopError(CnxMockError, RuntimeError):
    """The server did not stop in time; the message names its thread."""


class NotRunningError(CnxMockError, RuntimeError):
    """The server does not run, or was started without what was asked for; the message says how to start it."""


class InterceptionError(CnxMockError, RuntimeError):
    """The API's host name already leads to another server of this process."""


class ControlError(CnxMockError):
    """The control plane of a running server refused a call.

    `status` is the HTTP status, `code` the error code, `message` a sentence, and `details` has one text for each field
    that is wrong, by the field's name. `str()` has the message and every detail.
    """

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, str]) -> None:
        self.status, self.code, self.message, self.details = status, code, message, dict(details)
        Exception.__init__(self, status, code, message, self.details)  # a sibling in a subclass takes other arguments

    def _text(self) -> str:
        listed = "; ".join(f"{name}: {text}" for name, text in self.details.items())
        return f"{self.message} {listed}".strip()


class InputRefusedError(ControlError, InvalidInputError):
    """The control plane refused a call because of what you sent: a name, a value, a rule.

    `problems` has everything that is wrong, each problem with the field's name as its path.
    """

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, str]) -> None:
        super().__init__(status, code, message, details)
        self.problems = tuple(Problem((name,), text) for name, text in self.details.items())

    def _text(self) -> str:
        """Return the problems alone: the message says no more than that there are some."""
        return "; ".join(reasons(self))


class ScenarioRefusedError(InputRefusedError, ScenarioError):
    """The control plane refused a scenario or a rule that was given as data."""


class FixtureRefusedError(InputRefusedError, FixtureError):
    """The control plane refused a fixture that was given as data."""


class ServerNotFoundError(ConnectionError, CnxMockError):
    """No cnx-mock answers at that URL."""

    __str__ = CnxMockError.__str__  # not OSError's


class ProgramError(CnxMockError):
    """A program cannot be started: the message says why, `status` is the exit status that a shell gives for it."""

    def __init__(self, name: str, error: OSError, hint: str = "") -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            self.status, why = 126, error.strerror or str(error)
        elif os.sep in name and FilePath(name).exists():
            self.status, why = 127, "the interpreter in its first line is not there"
        elif os.sep in name:
            self.status, why = 127, "no such file"
        else:
            self.status, why = 127, "command not found"
        super().__init__(f"{name}: {why}{hint}")


class SweepError(CnxMockError):
    """A program cannot be swept; the message says why, and what to do."""


class RaceError(CnxMockError, AssertionError):
    """Two functions at once do what they do in no order one after the other, or they cannot be compared; the message
    says what happened, and how to run it again."""

    schedule: str = ""
    """The order of the calls, such as `A1 B1 B2 A2`, as `Sandbox.race` takes it; empty if they cannot be compared."""


class EgressError(PermissionError, CnxMockError):
    """The egress guard stopped a connection to another host."""


class ScenarioWarning(UserWarning):
    """Something in a scenario or a rule can never happen."""


def reasons(error: CnxMockError) -> list[str]:
    """Return what is wrong, each problem as a text of its own; the whole message if the error has no problems."""
    if isinstance(error, SourceError):
        return [without_live_keys(str(each)) for each in error.problems]
    if isinstance(error, DocumentError | InputRefusedError) and error.problems:
        return list(map(problem_line, error.problems))
    return [error.message if isinstance(error, InputRefusedError) else str(error)]


def problem_line(problem: Problem) -> str:
    """Return a problem as a line: its path, if it has one, as the control plane writes it, and its message."""
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in problem.path).removeprefix(".")
    return without_live_keys(f"{place}: {problem.message}" if place else problem.message)


def without_live_keys(text: str) -> str:
    """Return the text with every live key replaced that is written out in it."""
    return re.sub(_LIVE_KEY, REDACTED, text)


def _caret(line: str, column: int) -> str:
    """Return a line of the source and a caret below the column, each on its own line; "" for a blank line."""
    long = len(line) > _EXCERPT_WIDTH
    first = max(0, column - 1 - _EXCERPT_WIDTH // 2) if long else 0
    before, after = line[first : column - 1], line[column - 1 : first + _EXCERPT_WIDTH]
    if not (before + after).strip():
        return ""
    left, right = "…" if first else "", "…" if first + _EXCERPT_WIDTH < len(line) else ""
    from unicodedata import combining, east_asian_width  # lazy: only a file with a mistake has an excerpt

    blank = "".join(
        "\t" if each == "\t" else "" if combining(each) else "  " if east_asian_width(each) in "WF" else " "
        for each in left + before
    )
    return f"\n    {left}{before}{after}{right}\n    {blank}^"
