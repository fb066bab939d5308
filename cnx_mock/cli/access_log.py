"""The access lines of `cnx-mock serve`: in plain text for a log, in coloured columns on a terminal.

The columns are formatted by hand and not by rich. A line is written for every request, and importing rich takes longer
than the server needs for a hundred requests.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.terminal import columns, in_locale, is_live, painted, shown_line, wants_colour
from cnx_mock.http.access_record import AccessRecord, access_record
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.tenant import Tenant
from cnx_mock.text.units import format_instant_ms

_WIDE = 100
"""Columns from which on a terminal's line also has the sandbox and the operation."""
_TARGET = 36
"""Columns of a path and query."""


class AccessLog:
    """Writes a line for every request. The stream's thread also makes the line: the server does not wait for it."""

    def __init__(self, stream: BackgroundStream, before: Callable[[], None] | None = None) -> None:
        """`before` is called before each line, so that something that is drawn in place can make room."""
        self._stream = stream
        self._before = before
        self._live = is_live(stream)
        self._colour = wants_colour(stream)

    def __call__(self, record: JournalRecord, tenant: Tenant | None) -> None:
        """Write the line of an exchange."""
        self.write(access_record(record, tenant))

    def write(self, record: AccessRecord) -> None:
        """Write the line of a request."""
        if self._before is not None:
            self._before()
        self._stream.put(partial(self._line, record), len(record.target))

    def _line(self, record: AccessRecord) -> str:
        line = terminal_line(record, columns(), colour=self._colour) if self._live else plain_line(record)
        return f"{in_locale(line)}\n"


def plain_line(record: AccessRecord) -> str:
    """Return the line for a log: the time in UTC, then fields with one space between them, the faults, and why the
    request could not be read."""
    faults = f" [{' '.join(record.faults)}]" if record.faults else ""
    problem = f" ({record.problem})" if record.problem else ""
    return shown_line(
        f"{format_instant_ms(record.wall)} {record.method} {record.target} {_status(record)} "
        f"{record.duration / 1000:.1f}ms {record.operation} {record.sandbox}{faults}{problem}"
    )


def terminal_line(record: AccessRecord, width: int, *, colour: bool) -> str:
    """Return the line for a terminal: in columns, the time in the local zone, cut off at the terminal's width."""
    time = datetime.fromtimestamp(record.wall / 1_000_000).astimezone().strftime("%H:%M:%S")
    head = f"{time} {_status(record):>4} "
    rest = f"{record.duration / 1000:>7.1f}ms {record.method:<6} {record.target:<{_TARGET if width >= _WIDE else 0}}"
    if width >= _WIDE:
        rest += f" {record.sandbox:<6} {record.operation}"
    if record.faults:
        rest += f" [{' '.join(record.faults)}]"
    if record.problem:
        rest += f" ({record.problem})"
    rest = shown_line(rest)
    room = width - len(head)
    if len(rest) > room:
        rest = rest[: max(0, room - 1)] + "…"
    return painted(head, _colour(record), colour) + rest.rstrip()


def _status(record: AccessRecord) -> str:
    return "cut" if record.status is None else str(record.status)


def _colour(record: AccessRecord) -> str:
    """Return the colour of a line's time and status: red for 5xx and no answer, yellow for 429, else none."""
    if record.status is None or record.status >= 500:
        return "red"
    return "yellow" if record.status == 429 else ""
