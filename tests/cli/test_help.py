"""The help of every command and option: there, and never cut."""

import re
from collections.abc import Iterator

import click

from cnx_mock.cli.main import cli
from tests.cases import cases


def contexts(
    command: click.Command = cli, parent: click.Context | None = None, name: str = "cnx-mock"
) -> Iterator[click.Context]:
    """A context for each command, the groups' own too."""
    context = click.Context(command, parent, name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from contexts(found, context, each)


CONTEXTS = list(contexts())
PATHS = [each.command_path for each in CONTEXTS]
GROUPS = [each for each in CONTEXTS if isinstance(each.command, click.Group)]


@cases("context", CONTEXTS, ids=PATHS)
def test_no_help_is_cut(context: click.Context) -> None:
    text = context.get_help().replace("[ARGS]...", "").replace("CMD...", "")
    assert not re.search(r"[^\]|H]\.\.\.|…(?!})", text)


@cases("context", GROUPS, ids=[each.command_path for each in GROUPS])
def test_a_group_shows_the_whole_first_sentence_of_each_command(context: click.Context) -> None:
    assert isinstance(context.command, click.Group)
    shown = " ".join(context.get_help().split())
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        assert command is not None
        sentence = re.split(r"(?<=\.)\s", " ".join((command.help or "").split("\n\n")[0].split()))[0]
        assert f" {name} {sentence.rstrip('.')}" in shown.replace("- ", "-")


@cases("context", CONTEXTS, ids=PATHS)
def test_every_option_says_what_it_does(context: click.Context) -> None:
    options = [
        each for each in context.command.get_params(context) if isinstance(each, click.Option) and not each.hidden
    ]
    assert [each.opts for each in options if not re.match(r"[A-Z].*\.$", each.help or "", re.DOTALL)] == []
