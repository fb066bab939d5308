"""What `cnx-mock journal follow` does: it prints what happens in a running server, until that stops."""

import errno
import os
import select
import sys
from collections.abc import Callable

import click
import orjson

from cnx_mock.cli.errors import FOUND
from cnx_mock.cli.event_lines import EventLines
from cnx_mock.cli.event_stream import EventReader, ReceivedEvent
from cnx_mock.cli.terminal import is_live, wants_colour

_ABOUT_THE_STREAM = ("", "server")
"""What says that the server is there, and which one it is: nothing has happened."""


def follow_events(url: str, key: str | None, form: str) -> None:
    """Print events until Ctrl-C, or until the server stops: then exit with status 1. Raises UsageError if no cnx-mock
    answers, or if it refuses; BrokenPipeError if nobody reads any more."""
    render = _as_json if form == "jsonl" else EventLines(sandboxes=key is None, colour=wants_colour(sys.stdout)).line
    if is_live(sys.stderr) and form == "text":
        click.echo(f"cnx-mock: following {url}; Ctrl-C ends it", err=True)
    try:
        _print(EventReader(url, key), render)
    except KeyboardInterrupt:
        return
    click.echo(f"cnx-mock: the server at {url} has stopped", err=True)
    raise click.exceptions.Exit(FOUND)


def _print(reader: EventReader, render: Callable[[ReceivedEvent], str | None]) -> None:
    for event in reader.events():
        line = render(event) if event.kind not in _ABOUT_THE_STREAM else None
        if line is not None:
            click.echo(line, color=True)
        elif _reader_has_gone():
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))  # click asks for the number


def _as_json(event: ReceivedEvent) -> str:
    return orjson.dumps({"id": int(event.number), "event": event.kind, **event.data}).decode()


def _reader_has_gone() -> bool:
    """Return whether stdout is a pipe whose reader has gone. A write would tell, but nothing may happen for hours."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(1, 0)
    return bool(poll.poll(0))
