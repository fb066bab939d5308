"""A click group that knows its commands by name and imports a command's module only when that command is called.

It works like LazyGroup in click's documentation. In addition, each command's short help is listed with its name, so
that `--help` and a shell's completion do not import any command.
"""

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from cnx_mock.dataclass import dataclass

_FEW = 10
"""So many commands are listed in an error."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without the garbage collector: what imports make stays, and looking for garbage in it takes a tenth of
    their time. It is frozen, or the collector would look at all of it as soon as it is back."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is defined, and its short help."""

    module: str
    attribute: str
    help: str

    def load(self) -> click.Command:
        """Import the module and return the command."""
        with uncollected():
            command: click.Command = getattr(import_module(self.module), self.attribute)
        return command


class LazyCommands(MutableMapping[str, click.Command]):
    """Commands by name, each imported when it is looked up."""

    def __init__(self, lazy: Mapping[str, LazyCommand]) -> None:
        self._lazy = lazy
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            self._loaded[name] = self._lazy[name].load()
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._lazy, **self._loaded})

    def __len__(self) -> int:
        return len({**self._lazy, **self._loaded})

    def short_help(self, name: str) -> str:
        """Return a command's short help without importing the command."""
        lazy = self._lazy.get(name)
        return whole_short_help(self._loaded[name]) if lazy is None else lazy.help


def whole_short_help(command: click.Command) -> str:
    """Return the first sentence of a command's help. click would end it with "..." if it is long."""
    return command.get_short_help_str(limit=1000)


class Group(click.Group):
    """A group that lists its commands with the whole first sentence of each one's help."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their short help."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, whole_short_help(command)) for name, command in commands if command])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Raises click's UsageError; it lists the commands of a small group."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            names = self.list_commands(ctx)
            if len(names) > _FEW or "Did you mean" in error.format_message():
                raise
            listed = f"{error.format_message()} {ctx.command_path} has {', '.join(names)}."
            raise click.UsageError(listed, ctx=ctx) from None


class LazyGroup(Group):
    """A group whose commands are imported when they are called."""

    def __init__(self, name: str | None = None, *, lazy: Mapping[str, LazyCommand], **more: Any) -> None:
        self._names = LazyCommands(lazy)
        super().__init__(name, self._names, **more)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their short help. Imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._names.short_help(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin with the incomplete word. Imports no command."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._names.short_help(name)) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
