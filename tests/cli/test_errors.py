"""Every error of cnx-mock becomes a line on stderr and an exit status, in one place."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from cnx_mock import MockServer, errors
from cnx_mock.cli.errors import TopGroup, error_text
from cnx_mock.cli.main import cli
from cnx_mock.errors import CnxMockError, ListenError, ProgramError, SourceError, SourceProblem
from cnx_mock.text.source import read
from tests.cases import cases
from tests.commands import REAL

ARGUMENTS: dict[type[CnxMockError], tuple[Any, ...]] = {
    errors.ControlError: (409, "CONFLICT", "it is taken", {}),
    errors.DocumentError: ([errors.Problem(("name",), "must be a string")],),
    errors.ListenError: (errno.EADDRINUSE, "port 1 on 127.0.0.1 is already in use"),
    errors.ProgramError: ("./nobody", FileNotFoundError(errno.ENOENT, "No such file")),
    errors.SourceError: ([SourceProblem("a.yaml", 1, 1, "cnx-mock: is bad")],),
}


def below(root: type[CnxMockError]) -> Iterator[type[CnxMockError]]:
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from (each, *below(each))


def made(kind: type[CnxMockError]) -> CnxMockError:
    return kind(*next((ARGUMENTS[each] for each in kind.__mro__ if each in ARGUMENTS), ("it is bad",)))


def raising(error: BaseException) -> Result:
    """What a command does that raises this error."""
    group = TopGroup("cnx-mock", lazy={})

    @group.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(group, ["fail"])


@cases("kind", sorted({*below(CnxMockError)}, key=str))
def test_every_error_of_the_tree_is_one_line_and_a_status(kind: type[CnxMockError]) -> None:
    result = raising(made(kind))
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert "cnx-mock: " in result.stderr
    assert result.exit_code == (127 if kind is ProgramError else 2)


def test_an_option_before_its_command_is_told_where_it_belongs() -> None:
    for option, words in (
        ("--scenario", "--scenario is an option of run, serve, shrink, sweep: write it after the command."),
        ("--baseline", "--baseline is an option of sweep: write it after the command."),
        ("--url", "clock advance, "),
        ("--verson", "No such option '--verson'. Did you mean '--version'?"),
    ):
        result = CliRunner().invoke(cli, [option, "x"])
        assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


def test_a_program_that_cannot_be_executed_is_126() -> None:
    assert raising(ProgramError("./plain", PermissionError(errno.EACCES, "Permission denied"))).exit_code == 126


def test_a_yaml_file_is_shown_with_its_line_and_a_caret() -> None:
    with pytest.raises(SourceError) as raised:
        read("a: {b: 1\n", "story.yaml")
    result = raising(raised.value)
    assert result.stderr.startswith("story.yaml:")
    assert result.stderr.rstrip().endswith("^")


def test_an_address_that_is_in_use_is_said_without_its_number() -> None:
    result = raising(ListenError(errno.EADDRINUSE, "port 1 on 127.0.0.1 is already in use"))
    assert result.stderr == "cnx-mock: port 1 on 127.0.0.1 is already in use\n"


def test_a_file_that_cannot_be_read_is_named() -> None:
    result = raising(PermissionError(errno.EACCES, "Permission denied", "journal.jsonl"))
    assert (result.exit_code, result.stderr) == (2, "cnx-mock: journal.jsonl: Permission denied\n")


def test_ctrl_c_is_130_and_no_traceback() -> None:
    result = raising(KeyboardInterrupt())
    assert (result.exit_code, result.output) == (130, "\n")


def test_a_reader_that_has_gone_ends_it_quietly() -> None:
    result = raising(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert (result.exit_code, result.output) == (1, "")


def test_a_fault_of_our_own_is_not_hidden() -> None:
    assert isinstance(raising(ZeroDivisionError()).exception, ZeroDivisionError)


@cases(
    ("arguments", "message"),
    [
        (["audit", "--journal", "."], "is a directory"),
        (["shrink", "--scenario", "calm", "--output", ".", "--", "true"], "is a directory"),
        (["sweep", "--scenarios", "file", "--", "true"], "'file' is a file"),
        (["sweep", "--report", "nowhere/r.json", "--", "true"], "the report nowhere/r.json cannot be written: No such"),
        (
            ["sweep", "--report", "folder.json", "--", "true"],
            "the report folder.json cannot be written: it is a folder",
        ),
        (["sweep", "--baseline", "file", "--", "true"], "file is not a JSON report of `cnx-mock sweep`"),
        (["sweep", "--fail-on", "dupl", "--", "true"], "'dupl', did you mean 'duplicated'? (there are hung, "),
        (["sweep", "--fail-on", "fail", "--", "true"], "no verdict is called 'fail', did you mean 'failed-cleanly'?"),
        (["audit", "--also", "gaveup"], "no check is called 'gaveup', did you mean 'gave-up'? (there are "),
        (["fixtures", "show", "nobody"], "no fixture is called 'nobody'"),
        (["scenarios", "show", "file.yaml"], "file.yaml: "),
        (["openapi", "--reading", "a=b"], "'a' is not a reading"),
        (["shrink", "--speed", "0", "--", "true"], "'speed' must be above 0"),
    ],
)
def test_what_a_user_writes_never_ends_in_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.yaml").write_bytes(b"\xff")
    (tmp_path / "file").write_bytes(b"\xff")
    (tmp_path / "folder.json").mkdir()
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "file.yaml", "folder.json"]


def test_usage_errors_are_clicks_own() -> None:
    result = CliRunner().invoke(cli, ["run"])
    assert result.exit_code == click.UsageError.exit_code == 2
    assert "The program to run is missing." in result.stderr


# ---- streams that are closed or full

STREAMS = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")


def redirected(redirection: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed command under a shell's redirection, such as `>&-`."""
    words = ["sh", "-c", f'exec "$@" {redirection}', "sh", REAL, *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)


CLOSED = [">&-", "2>&-", "<&-", "<&- >&- 2>&-"]
PROGRAM = ["run", "--", "sh", "-c", "exit 7"]


@pytest.mark.slow
@STREAMS
@pytest.mark.parametrize(
    ("redirection", "arguments", "status"),
    [
        *((closed, arguments, status) for closed in CLOSED for arguments, status in [(["routes"], 0), (PROGRAM, 7)]),
        *((closed, ["routes", "--nope"], 2) for closed in ("2>&-", "<&- >&- 2>&-")),
    ],
)
def test_a_closed_stream_gives_no_traceback_and_leaves_the_status(
    redirection: str, arguments: list[str], status: int
) -> None:
    done = redirected(redirection, *arguments)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.slow
@STREAMS
def test_a_program_finds_closed_what_the_user_has_closed() -> None:
    done = redirected(
        "2>&-", "run", "--", sys.executable, "-c", "import sys; print(sys.stdin is None, sys.stderr is None)"
    )
    assert (done.returncode, done.stdout) == (0, "False True\n")


def test_an_error_is_shown_in_the_characters_of_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert error_text(CnxMockError("write {at_least: …}")) == "cnx-mock: write {at_least: ...}"
    with pytest.raises(SourceError) as refused:
        read("name: ü: x" + "y" * 200, "story.yaml")
    assert error_text(refused.value).isascii()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is full")
@pytest.mark.parametrize("arguments", [["serve", "--port", "0"], ["routes"], ["openapi"], ["state", "show", "--url"]])
def test_a_full_stdout_is_named(server: MockServer, arguments: list[str]) -> None:
    done = redirected(">/dev/full", *arguments, *([server.url] if arguments[-1] == "--url" else ()))
    assert (done.returncode, done.stderr) == (2, "cnx-mock: stdout: No space left on device\n")
