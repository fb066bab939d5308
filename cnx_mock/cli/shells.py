"""How the words of a completion reach bash, zsh and fish: what click's own scripts do not do.

- bash takes `=` and `:` for the end of a word, so that `--reading NAME=VALUE` and `--scenario=NAME` come in pieces.
- click's script for bash offers either names or paths; that for fish cuts a value at its first comma.
- zsh and fish replace the whole word `--scenario=fl`, which click answers by the value alone.
"""

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from cnx_mock.text.regex import regex

VARIABLE = "_CNX_MOCK_COMPLETE"
"""The variable by which a shell's script asks for completions."""

_BREAKS = regex("[=:]+")

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n'
    local response completion type value

    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)

    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"

        if [[ $type == 'dir' ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$value")
        elif [[ $type == 'file' ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$value")
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("$value")
        fi
    done

    return 0
}

%(complete_func)s_setup() {
    complete -o nosort -F %(complete_func)s %(prog_name)s
}

%(complete_func)s_setup;
"""


class Bash(BashComplete):
    """bash, with the words joined that it has broken at `=` and `:`."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that one."""
        given = os.environ["COMP_WORDS"].split("\n" if "\n" in os.environ["COMP_WORDS"] else None)
        words = _joined(given[: int(os.environ["COMP_CWORD"]) + 1])
        if len(given) <= int(os.environ["COMP_CWORD"]):
            words.append("")
        self._incomplete = words[-1].lstrip("\"'")
        return [_unquoted(word) for word in words[1:-1]], self._incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return an item without what bash does not replace: everything up to the last `=` or `:`."""
        breaks = list(_BREAKS.finditer(self._incomplete))
        kept = self._incomplete[: breaks[-1].end()] if breaks else ""
        value = str(item.value)
        head = next((kept[at:] for at in range(len(kept)) if value.startswith(kept[at:])), "")
        return f"{item.type},{value.removeprefix(head)}"


class _WholeWord(ShellComplete):
    """A shell that replaces the whole word, such as `--scenario=fl`."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Return the items, with the option before the value if both are one word."""
        option, equals, _ = incomplete.partition("=")
        items = super().get_completions(args, incomplete)
        if not equals or not option.startswith("--"):
            return items
        return [
            CompletionItem(f"{option}={item.value}", item.type, item.help) if item.type == "plain" else item
            for item in items
        ]


class Zsh(_WholeWord, ZshComplete):
    """zsh."""


class Fish(_WholeWord, FishComplete):
    """fish, with commas in values."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def script(shell: str, command: click.Command) -> str:
    """Return the script that makes a shell complete the command."""
    return SHELLS[shell](command, {}, "cnx-mock", VARIABLE).source()


def register() -> None:
    """Let click answer the scripts by these classes."""
    for name, kind in SHELLS.items():
        add_completion_class(kind, name)


def _joined(words: list[str]) -> list[str]:
    """Return the words with those joined that bash has broken: `a`, `=`, `b` are `a=b`."""
    joined: list[str] = []
    is_open = False
    for word in words:
        is_break = _BREAKS.fullmatch(word) is not None
        if joined[1:] and (is_break or is_open):
            joined[-1] += word
        else:
            joined.append(word)
        is_open = is_break
    return joined


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word
