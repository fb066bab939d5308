"""How errors become a line on stderr and an exit status: here, and nowhere else on the command line.

A command raises the errors of `cnx_mock.errors` and lets them pass. The top group catches them and raises
`CommandError`, which click shows without a traceback.

    exit status   what it means
    0             all is well
    1             a command found something: `audit` and `sweep`; the reader of stdout has gone, and the output is all
                  that the command is for
    2             something that you wrote, or a file, or the machine, cannot be used
    3             `run`: the program succeeded, and something expected of it did not happen
    126, 127      a program cannot be executed, is not found
    130           Ctrl-C
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from cnx_mock.cli.lazy import LazyGroup
from cnx_mock.errors import CnxMockError, ProgramError, SourceError

FOUND = 1
"""Exit status of a command that looks for something and has found it."""
BAD_INPUT = 2
"""Exit status for something that the user can correct."""
UNMET = 3
"""Exit status of `run` if the program succeeded, and something expected of it did not happen."""
_SHOWN_COMMANDS = 4
INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT, as in shells."""


def error_text(error: CnxMockError | OSError) -> str:
    """Return an error as the command line shows it, in the characters of the locale: a YAML file's problems with their
    places, or else one line."""
    from cnx_mock.cli.terminal import in_locale  # lazy: most commands end without an error

    if isinstance(error, SourceError):
        return in_locale(error.excerpt())
    if isinstance(error, CnxMockError):
        return in_locale(f"cnx-mock: {error}")
    name = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return in_locale(f"cnx-mock: {name}{error.strerror or error}")


class CommandError(click.ClickException):
    """An error that ends the command: its text goes to stderr as it is."""

    def __init__(self, error: CnxMockError | OSError) -> None:
        super().__init__(error_text(error))
        status = error.status if isinstance(error, ProgramError) else BAD_INPUT
        self.exit_code = status  # type: ignore[misc]  # click reads it from the instance, its types say ClassVar

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the text to stderr."""
        click.echo(self.message, file=file or sys.stderr)


class TopGroup(LazyGroup):
    """The group of all commands: what they raise becomes a line and an exit status here."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name, or with its plural: `scenario use` is `scenarios use`."""
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, f"{cmd_name}s")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options of the group. Raises click's NoSuchOption; for an option of commands it names them."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise _located(error, self, ctx) from None

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Read the options of the group, of which `--help` and `--version` print. Raises CommandError for an
        OSError."""
        with _command_errors():
            return super().make_context(*arguments, **more)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Raises click's UsageError; for a word that other programs have it says what to write."""
        if instead := _instead(args):
            ctx.fail(f"No such command {args[0]!r}. Write `cnx-mock {instead}`.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises CommandError for every CnxMockError and OSError."""
        try:
            with _command_errors(), _located_options():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)  # after the terminal's ^C
            ctx.exit(INTERRUPTED)


def _instead(words: list[str]) -> str:
    """Return what to write for words that other programs take as commands; empty for other words."""
    match words:
        case ["help", *rest]:
            return " ".join([*rest[:1], "--help"])
        case ["version", *_]:
            return "--version"
        case ["start" | "up", *_]:
            return "serve"
    return ""


@contextmanager
def _located_options() -> Iterator[None]:
    """Say of an option at the wrong place where it belongs: `--ca-dir` of `ca` before the command, `--url` of `journal
    export` after it."""
    try:
        yield
    except click.NoSuchOption as error:
        inner, name = error.ctx, error.option_name
        outer = inner.parent if inner is not None else None
        if inner is not None and isinstance(inner.command, click.Group):
            raise _located(error, inner.command, inner) from None
        if inner is None or outer is None or not _takes(outer.command, name):
            raise
        where = f"{name} is an option of {outer.command_path}: write it before {inner.info_name}"
        raise click.NoSuchOption(name, f"{where}.", ctx=inner) from None


def _located(error: click.NoSuchOption, group: click.Group, ctx: click.Context) -> click.NoSuchOption:
    """Return the error for an option that a group does not have; it names the commands that do."""
    name = error.option_name
    takers = [path for path, command in _commands(group, ctx) if _takes(command, name)]
    if not takers:
        return error
    more = ", …" if len(takers) > _SHOWN_COMMANDS else ""
    where = f"{', '.join(takers[:_SHOWN_COMMANDS])}{more}: write it after the command"
    return click.NoSuchOption(name, f"{name} is an option of {where}.", ctx=ctx)


def _commands(group: click.Group, ctx: click.Context, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group, with its path such as `clock advance`."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from _commands(command, ctx, f"{above}{name} ")
        elif command is not None:
            yield f"{above}{name}", command


def _takes(command: click.Command, option: str) -> bool:
    return any(option in each.opts for each in command.params if isinstance(each, click.Option))


@contextmanager
def _command_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of stdout has gone: click ends quietly
    except (CnxMockError, OSError) as error:
        raise CommandError(error) from None
