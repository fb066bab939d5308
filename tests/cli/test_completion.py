"""What shells offer after a Tab: names beside commands and options, from the real scripts where the shell is here."""

import os
import shlex
import shutil
from pathlib import Path

import pytest

from tests import commands
from tests.cases import cases
from tests.commands import COMMAND

GALLERY = ["flaky-network", "flapping"]


@pytest.fixture(scope="module")
def script() -> str:
    done = commands.run([COMMAND, "completion", "bash"], capture_output=True, text=True, timeout=30, check=True)
    return str(done.stdout)


def in_bash(script: str, folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words, which are as bash breaks a line."""
    asked = f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _cnx_mock_completion cnx-mock"
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = commands.run(
        [shutil.which("bash"), "-c", f'{script}\n{asked}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
        env={**os.environ, "PATH": path}, cwd=folder, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is what is asked")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["cnx-mock", "inj"], ["inject"]),
        (["cnx-mock", "serve", "--scenario", "fla"], [*GALLERY, "flash.yaml"]),
        (["cnx-mock", "serve", "--scenario", "=", "fla"], [*GALLERY, "flash.yaml"]),
        (["cnx-mock", "serve", "--scenario", "./sto"], ["./stories"]),
        (["cnx-mock", "demo", "cre"], ["credits-run-out"]),
        (["cnx-mock", "demo", "fla"], [*GALLERY, "flash.yaml"]),
        (["cnx-mock", "serve", "--reading", "delete-answer", "=", "204"], ["204"]),
        (["cnx-mock", "serve", "--reading", "=", "delete-answer", "=", "204"], ["204"]),
        (["cnx-mock", "run", "--", "./deploy"], ["./deploy my app.sh"]),
        (["cnx-mock", "clock", "--url", "http", ":", "//127.0.0.1", ":", "4269", "--k"], ["--key"]),
    ],
)
def test_bash_offers_names_and_paths(script: str, tmp_path: Path, words: list[str], offered: list[str]) -> None:
    for name in ("flash.yaml", "deploy my app.sh"):
        (tmp_path / name).touch()
    (tmp_path / "stories").mkdir()
    assert in_bash(script, tmp_path, *words) == offered


def offers(shell: str, line: str) -> list[str]:
    """The values that the command answers to the script of zsh or fish for this line, with the cursor at its end."""
    words = line.split(" ")
    fish = {"COMP_WORDS": line, "COMP_CWORD": words[-1]}
    zsh = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    asked = {**(fish if shell == "fish" else zsh), "_CNX_MOCK_COMPLETE": f"{shell}_complete"}
    done = commands.run([COMMAND], env={**os.environ, **asked}, capture_output=True, text=True, timeout=30, check=True)
    lines = done.stdout.splitlines()
    if shell == "fish":
        return [each.partition(",")[2].partition("\t")[0] for each in lines if each.startswith("plain,")]
    return [value for kind, value in zip(lines[::3], lines[1::3], strict=False) if kind == "plain"]


@cases("shell", ["zsh", "fish"])
@cases(
    ("line", "offered"),
    [
        ("cnx-mock run --scenario fla", GALLERY),
        ("cnx-mock run --scenario=fla", [f"--scenario={name}" for name in GALLERY]),
        ("cnx-mock serve --fixture sm", ["small-team"]),
        ("cnx-mock demo thu", ["thundering-429s"]),
        ("cnx-mock serve --surface do", ["documented"]),
        ("cnx-mock openapi --reading delete-answer=204", ["delete-answer=204"]),
        ("cnx-mock sweep --faults reset,ha", ["reset,hang", "reset,hang-after"]),
        ("cnx-mock sweep --operations !snapshots.l", ["!snapshots.list"]),
        ("cnx-mock sweep --fail-on du", ["duplicated"]),
        ("cnx-mock audit --ignore busy", ["busy-poll"]),
        ("cnx-mock inject instances.c", ["instances.create"]),
        ("cnx-mock inject --error INTERNAL", ["INTERNAL_ERROR"]),
        ("cnx-mock inject --connection re", ["reset"]),
        ("cnx-mock scenario use lost", ["lost-response"]),
        ("cnx-mock scenarios show br", ["brownout"]),
        ("cnx-mock scenarios check calm br", ["brownout"]),
        ("cnx-mock scenarios explain br", ["brownout"]),
        ("cnx-mock fixtures show fl", ["fleet"]),
        ("cnx-mock state load em", ["empty"]),
    ],
)
def test_the_other_shells_are_answered_with_whole_words(shell: str, line: str, offered: list[str]) -> None:
    assert offers(shell, line) == offered


def test_fish_does_not_cut_a_list_of_names_at_its_comma() -> None:
    done = commands.run([COMMAND, "completion", "fish"], capture_output=True, text=True, timeout=30, check=True)
    assert 'string split -m 1 ","' in done.stdout
