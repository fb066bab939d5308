"""A live key that is typed by mistake is neither shown nor stored, whatever command it is given to."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

from cnx_mock import MockServer
from cnx_mock.cli.main import COMMANDS, cli
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND

DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
LIVE = f"cnx_live_{DIGITS}"
SPELLINGS = (LIVE, LIVE.replace("_", "%255F"))

REST = {
    "demo": ["--script", "--client", "/no/such/program"],  # so that it ends
    "serve": ["--fixture", "no-such-fixture"],  # so that it ends
    "run": ["--", sys.executable, "-c", "raise SystemExit(1)", LIVE],
    "sweep": ["--", sys.executable, "-c", "raise SystemExit(1)", LIVE],
    "shrink": ["--", sys.executable, "-c", "raise SystemExit(1)", LIVE],
}
"""What the command needs beside the argument in question."""
OF_THEIR_OWN = ("demo", "run", "sweep", "shrink")
"""The commands that need a process of their own: they start programs."""

ONE_AFTER_THE_OTHER = """
import json, os, sys
from cnx_mock.cli.main import cli
from cnx_mock.cli.streams import prepare_output, settle
lines = json.load(sys.stdin)
prepare_output()
for number, line in enumerate(lines):
    folder = os.path.join(sys.argv[1], str(number))
    os.mkdir(folder)
    os.chdir(folder)
    output = os.open("output", os.O_CREAT | os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    try:
        cli(line, prog_name="cnx-mock")
    except SystemExit:
        pass
    sys.stdout.flush()
    settle()
"""
"""Runs command lines in a process of theirs, each in a folder of its own, with what it writes in the file `output`."""

CALL = """
import os, sys, urllib.request
last = sys.argv[-1]
headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"], "X-Mode": last}
url = os.environ["CLOUDNEXUS_BASE_URL"] + "/v1/plans?seen=" + last
with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
    answer.read()
"""

LEAKS = """
import json, os, sys, urllib.request
print("my key is", sys.argv[1])

def call(method, path, body=None):
    headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"], "Content-Type": "application/json"}
    url, data = os.environ["CLOUDNEXUS_BASE_URL"] + path, body and json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=5) as answer:
        return json.load(answer)

made = call("POST", "/v1/instances", {"name": "a", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"})
call("GET", "/v1/plans")
call("DELETE", "/v1/instances/" + made["id"])
"""

STORY = f"""
name: story
rules:
  - match: {{operation: plans.list, header: {{x-mode: "{LIVE}"}}}}
    fault: {{error: INTERNAL_ERROR}}
  - match: {{query: {{seen: "{LIVE}"}}}}
    fault: {{error: INTERNAL_ERROR}}
"""


def leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*words, name))


def with_key(words: tuple[str, ...], command: click.Command) -> Iterator[list[str]]:
    """Its command lines with a live key as the value of each option, and as its arguments."""
    rest = REST.get(words[0], [])
    plain, encoded = SPELLINGS
    for key in SPELLINGS:
        yield [*words, key, *rest]
        yield [*words, f"http://127.0.0.1:9/{key}", *rest]
    for parameter in command.get_params(click.Context(command)):
        if isinstance(parameter, click.Option) and not parameter.is_flag:
            yield [*words, parameter.opts[0], plain, *rest]
            yield [*words, parameter.opts[0], f"{encoded}.json", *rest]


def left_by(folder: Path, *words: str) -> str:
    """All that a command leaves: what it writes, and every file in its folder, names included."""
    result = commands.run([COMMAND, *words], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    return (result.stdout + result.stderr).decode() + in_files(folder)


def in_files(folder: Path) -> str:
    """The names of all files in a folder, and what they contain."""
    files = [path.name + path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    return "\n".join(["", *map(str, folder.rglob("*")), *files])


def lines_of(name: str) -> Iterator[list[str]]:
    """All command lines of a command."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    for words, leaf in leaves(command, (name,)):
        yield from with_key(words, leaf)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_THEIR_OWN)
def test_no_command_repeats_a_live_key_in_any_argument(name: str, tmp_path: Path) -> None:
    for line in lines_of(name):
        assert DIGITS not in left_by(tmp_path, *line), line


@pytest.mark.slow
def test_no_command_that_starts_nothing_repeats_a_live_key_in_any_argument(tmp_path: Path) -> None:
    lines = [line for name in COMMANDS if name not in OF_THEIR_OWN for line in lines_of(name)]
    words = [sys.executable, "-c", ONE_AFTER_THE_OTHER, str(tmp_path)]
    subprocess.run(words, input=json.dumps(lines), text=True, check=True, timeout=120)
    for number, line in enumerate(lines):
        output = (tmp_path / f"{number}" / "output").read_text()
        assert output or line[0] == "completion", line
        assert DIGITS not in in_files(tmp_path / f"{number}"), line
    assert {line[0] for line in lines} | {*OF_THEIR_OWN} == {*COMMANDS}


@pytest.mark.slow
def test_a_sweep_leaves_no_key_of_its_command_in_any_report(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(LEAKS)
    reports = ("--report", "r.html", "--report", "r.json", "--report", "r.xml")
    words = ("sweep", "--faults", "error", *reports, "--", sys.executable, "client.py", LIVE)
    left = left_by(tmp_path, *words)
    assert DIGITS not in left
    assert {"r.html", "r.json", "r.xml", "plans.list-1-error.yaml"} <= {path.name for path in tmp_path.rglob("*")}
    assert "cnx_live_redacted" in (tmp_path / "r.json").read_text()


def test_a_run_leaves_no_key_of_its_command_or_of_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(CALL)
    (tmp_path / "out").mkdir()
    (tmp_path / "story.yaml").write_text(STORY)
    words = ("run", "--report", "r.json", "--scenario", "../story.yaml", "--", sys.executable, "../client.py", LIVE)
    left = left_by(tmp_path / "out", *words)
    assert DIGITS not in left
    assert json.loads((tmp_path / "out" / "r.json").read_text())["command"][-1] == "cnx_live_redacted"


def test_what_the_program_itself_writes_is_not_changed(tmp_path: Path) -> None:
    code = f"import sys; print('{LIVE}'); print('\\x1b[35m', file=sys.stderr)"
    result = commands.run([COMMAND, "run", "--quiet", "--", sys.executable, "-c", code], capture_output=True)
    assert (result.stdout.decode(), result.stderr.decode()) == (f"{LIVE}\n", "\x1b[35m\n")


def test_a_check_shows_the_line_without_the_key(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "story.yaml").write_text(f"name: x\n{LIVE}: 1\nrules: [{{match: {{path: '{LIVE}'}}, falt: 1}}]\n")
    left = left_by(tmp_path / "out", "scenarios", "check", "../story.yaml")
    assert DIGITS not in left
    assert "cnx_live_redacted" in left


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_an_audit_repeats_no_key_of_a_foreign_recording(form: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    url = f"https://api.cloudnexus.com/v1/plans/{LIVE}?key={SPELLINGS[1]}"
    request = {"method": "GET", "url": url, "headers": [], "httpVersion": "HTTP/1.1"}
    answer = {"status": 500, "headers": [], "content": {"size": 0}, "statusText": "", "httpVersion": "HTTP/1.1"}
    entries = [
        {"startedDateTime": f"2026-01-01T00:00:0{n}Z", "time": 1, "request": request, "response": answer}
        for n in range(5)
    ]
    (tmp_path / "traffic.har").write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    left = left_by(tmp_path / "out", "audit", "--journal", "../traffic.har", "--format", form)
    assert DIGITS not in left
    assert "live-key" in left


def test_the_control_plane_shows_no_key_of_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(STORY)
    with MockServer(scenario=tmp_path / "story.yaml") as server:
        sandbox = server.sandbox()
        shown = [sandbox.call("GET", path) for path in ("/scenario", "/rules", "/requests")]
    assert DIGITS not in json.dumps(shown)
    assert "cnx_live_redacted" in json.dumps(shown)


@cases("key", [*SPELLINGS, LIVE.replace("_", "\\u005f"), LIVE.upper(), LIVE.replace("_", "&#95;")])
def test_a_request_leaves_no_key_wherever_it_is_and_however_it_is_written(key: str) -> None:
    with MockServer(proxy=True) as server:
        sandbox, proxy = server.sandbox(), urlsplit(server.proxy_url)
        head = f"Authorization: Bearer {sandbox.api_key}\r\nHost: localhost\r\nConnection: close\r\n"
        answers = [
            exchanged((proxy.hostname, proxy.port), f"CONNECT {key}.example:443 HTTP/1.1\r\n\r\n"),
            exchanged((proxy.hostname, proxy.port), f"CONNECT {key} HTTP/1.1\r\n\r\n"),
            *(
                exchanged((urlsplit(server.url).hostname, urlsplit(server.url).port), request)
                for request in (
                    f"GET /v1/plans HTTP/1.1\r\nX-CNX-Mock-Fault: {{error: {key}}}\r\n{head}\r\n",
                    f"GET /v1/plans?q={key} HTTP/1.1\r\nX-{key}: 1\r\n{head}\r\n",
                    f"GET /v1/{key} HTTP/1.1\r\n{head}\r\n",
                    f"GET /v1/{key} HTTP/9\r\n{head}\r\n",
                    f"POST /_mock/sandboxes HTTP/1.1\r\nContent-Length: {len(key) + 16}\r\n{head}\r\n"
                    f'{{"scenario": "{key}"}}',
                )
            ),
        ]
        stored = [sandbox.call("GET", "/requests"), server.call("GET", "/requests")]
    for text in (*answers, json.dumps(stored)):
        assert DIGITS not in text.lower()


def exchanged(address: tuple[str | None, int | None], request: str) -> str:
    """Send a request as it is, and return the whole answer."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
