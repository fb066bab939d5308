"""Every line of the README's console blocks is executed as it is printed, in a shell.

The environment makes room for it: `CNX_MOCK_PORT=0` lets `serve` take any free port, since 4269 may be taken, and a
`.curlrc` leads curl from the printed address to that port. The lines of `run` and `sweep` are executed together with
those of the other pages (`test_snippets`), because what they print is compared too.
"""

import faulthandler
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from cnx_mock import MockServer, Settings
from tests.docs.generate import ROOT
from tests.docs.snippets import Snippet, snippets

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="the blocks are for a POSIX shell")]

BLOCKS = [each for each in snippets("console") if each.page.name == "README.md"]
LINES = [line for each in BLOCKS for line, _ in each.commands]
ELSEWHERE = ("cnx-mock run ", "cnx-mock sweep ")
"""The lines that `test_snippets` executes."""
NOT_HERE = {"make test": "it would run this test, and with it itself: make says what it would do"}
INSTALL = ("python3 -m venv", ". .venv/", "pip install .")
GREETING = re.compile(r"cnx-mock serves the CloudNexus API at (http://127\.0\.0\.1:([0-9]+))")


def environment(**more: str) -> dict[str, str]:
    """The environment with our command on the path, any free port, and none of our other variables."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**own, "PATH": path, "CNX_MOCK_PORT": "0", "NO_PROXY": "127.0.0.1", **more}


@contextmanager
def serving(script: str, folder: Path, **more: str) -> Iterator[tuple[str, str]]:
    """Run lines of which the last one serves, and yield its address and port. At the end, it obeys SIGTERM."""
    process = subprocess.Popen(
        ["sh", "-ec", script],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    printed: list[str] = []
    try:
        for line in process.stdout:
            printed.append(line)
            if found := GREETING.search(line):
                yield found[1], found[2]
                break
        else:
            pytest.fail("".join(printed))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def health(url: str) -> str:
    with urlopen(f"{url}/_mock/health", timeout=30) as answer:
        return str(json.load(answer)["status"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the README's scenario, as its text asks for."""
    [text] = [each.text for each in snippets("yaml") if each.page.name == "README.md"]
    (tmp_path / "bad-morning.yaml").write_text(text)
    return tmp_path


def test_every_line_is_executed_by_one_of_these_tests() -> None:
    here = ("make serve", "cnx-mock serve", "cnx-mock scenarios check ", "curl ", *INSTALL)
    assert [line for line in LINES if not line.startswith((*here, *ELSEWHERE, *NOT_HERE))] == []
    assert len(LINES) > 10


@pytest.mark.parametrize("line", sorted({line for line in LINES if line.startswith("cnx-mock serve")}))
def test_a_server_is_started(line: str, folder: Path) -> None:
    with serving(f"exec {line}", folder) as (url, _):
        assert health(url) == "ok"


def test_a_scenario_is_checked(folder: Path) -> None:
    [line] = [line for line in LINES if line.startswith("cnx-mock scenarios check ")]
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_documented_request_creates_an_instance(server: MockServer, tmp_path: Path) -> None:
    [line] = [line for line in LINES if line.startswith("curl ")]
    port = server.url.rpartition(":")[2]
    lead = f'connect-to = "127.0.0.1:{Settings().port}:127.0.0.1:{port}"'
    (tmp_path / ".curlrc").write_text(f'{lead}\nsilent\nshow-error\nwrite-out = "\\n%{{http_code}}"\n')
    environ = environment(CURL_HOME=str(tmp_path))
    done = subprocess.run(["sh", "-c", line], env=environ, capture_output=True, text=True, timeout=60, check=False)
    body, _, status = done.stdout.rpartition("\n")
    assert status == "201", done.stderr
    assert json.loads(body)["name"] == "prod-api-01"


def checkout(folder: Path) -> Path:
    """A copy of the files that git knows."""
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_make_serve_serves(tmp_path: Path) -> None:
    """In a copy whose environment is this one: what installs it is tested below, and by the CI from nothing."""
    folder = checkout(tmp_path)
    venv = folder / ".venv"
    venv.mkdir()
    (venv / "bin").symlink_to(Path(sys.executable).parent)
    (venv / "made").write_text(str(folder.resolve()))
    (venv / "installed").touch()
    assert "make serve" in LINES
    with serving("exec make serve", folder.resolve()) as (url, _):
        assert health(url) == "ok"


@pytest.mark.parametrize("line", NOT_HERE)
def test_make_knows_what_would_be_done(line: str) -> None:
    assert line in LINES
    done = subprocess.run(["sh", "-c", f"{line} -n"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "-m pytest" in done.stdout


def installing() -> Snippet:
    [block] = [each for each in BLOCKS if any(line.startswith("pip install .") for line, _ in each.commands)]
    return block


@pytest.mark.judge
def test_the_package_is_installed_and_serves(tmp_path: Path) -> None:
    """The lines of the block, one after the other in one shell. pip takes what is needed from its index, and may need
    longer than a test that hangs is given."""
    faulthandler.cancel_dump_traceback_later()
    lines = [line for line, _ in installing().commands]
    assert [line for line in lines[:3] if line.startswith(INSTALL)] == lines[:3]
    script = "\n".join([*lines[:-1], f"exec {lines[-1]}"])
    with serving(script, checkout(tmp_path), PIP_QUIET="1") as (url, _):
        assert health(url) == "ok"
    assert (tmp_path / ".venv" / "bin" / "cnx-mock").exists()
