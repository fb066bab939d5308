"""Types of options in addition to click's: durations, test keys, the URL of a running server, lists of names."""

import re
from collections.abc import Callable
from itertools import takewhile
from typing import Any

import click

from cnx_mock.cli.completions import files
from cnx_mock.errors import UsageError
from cnx_mock.net.addresses import is_base_url
from cnx_mock.text.units import parse_duration
from cnx_mock.world.clock import SECOND
from cnx_mock.world.keys import TEST_KEY_FORM, is_test_key

DEFAULT_URL = "http://127.0.0.1:4269"
"""The URL of `cnx-mock serve` with its own defaults."""


class DurationType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    """A time longer than zero, such as `2s` or `1m30s`; its value is in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        seconds = _microseconds(self, value, param, ctx) / SECOND
        if seconds <= 0:
            self.fail("must be longer than 0s", param, ctx)
        return seconds


class DurationTextType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    """A time such as `2s` or `0s`; its value is the text, for a server that reads it once more."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text."""
        _microseconds(self, value, param, ctx)
        return str(value)


def _microseconds(
    kind: click.ParamType,  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    value: str,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> int:
    """Return a duration in microseconds. Raises BadParameter for any other text."""
    try:
        return parse_duration(value)
    except ValueError as error:
        kind.fail(str(error), param, ctx)


class KeyType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    """A test key. A wrong value is not repeated in the message, since it may be a live key."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the key."""
        if not is_test_key(value):
            self.fail(f"must be {TEST_KEY_FORM}; a live key is never accepted", param, ctx)
        return str(value)


class ServerUrlType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    """The base URL of a running server; its value has no slash at its end."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the URL. Raises UsageError if it is not one."""
        if not is_base_url(value):
            raise UsageError(
                f"{value!r} is not the URL of a server: write {_base_of(value) or f'one like {DEFAULT_URL}'}"
            )
        return str(value).removesuffix("/")


def _base_of(text: str) -> str | None:
    """Return the base URL that a text is meant for: without http://, with https:// or with a path. None if that is not
    clear."""
    host = re.sub("^https?://", "", text).partition("/")[0]
    base = f"http://{host}"
    return base if re.search(r":\d+$", host) and is_base_url(base) else None


class NamesType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    """Names with commas between them, such as `reset,hang`; its value is a list."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Return the names."""
        return value if isinstance(value, list) else [word.strip() for word in value.split(",") if word.strip()]


class ShardType(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.5, not in 8.2
    """One part of several, such as `2/8`; its value is both numbers."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return the number of the part, from 1, and how many parts there are."""
        if isinstance(value, tuple):
            return value
        number, slash, of = str(value).partition("/")
        good = slash and number.isdecimal() and of.isdecimal() and len(of) < 6
        if not good or not 1 <= int(number) <= int(of):
            self.fail(f"{value!r} is not a shard: write 2/8 for the second of eight", param, ctx)
        return int(number), int(of)


class ProgramCommand(click.Command):
    """A command that runs a program, which stands last. What is written after it belongs to it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line. Print a note for options of ours after the program: without it, somebody who wrote
        `run ./deploy.sh --expect instances=1` would believe that something was expected."""
        given = list(args)
        rest = super().parse_args(ctx, args)
        program: tuple[str, ...] = ctx.params.get("command") or ()
        plain = given[: -len(program)][-1:] != ["--"]  # after a -- of their own all words are the program's
        ours = {name for each in self.params for name in each.opts if name.startswith("--")}
        late = [word for word in takewhile("--".__ne__, program[1:]) if word.partition("=")[0] in ours]
        if plain and late and not ctx.resilient_parsing:
            names = ", ".join(dict.fromkeys(word.partition("=")[0] for word in late))
            note = f"{names} is written after the program, so the program gets it: write options of cnx-mock before it"
            click.echo(f"cnx-mock: {note}, or add -- before the program to hide this note", err=True)
        return rest


def program_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument of a command that runs a program: the program and its own arguments, as `command`."""
    add = click.argument(
        "command", nargs=-1, type=click.UNPROCESSED, metavar="[--] CMD...", callback=_program, shell_complete=files
    )
    return add(command)


def _program(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the program and its arguments. Raises click's UsageError if there is none."""
    if not value and not context.resilient_parsing:
        example = f"{context.command_path} [OPTIONS] -- ./deploy.sh"
        raise click.UsageError(f"The program to run is missing. Write it last: {example}", context)
    return value


DURATION = DurationType()
DURATION_TEXT = DurationTextType()
TEST_KEY = KeyType()
SERVER_URL = ServerUrlType()
NAMES = NamesType()
SHARD = ShardType()
