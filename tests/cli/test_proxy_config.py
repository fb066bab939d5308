"""`cnx-mock proxy-config`, and what leads people to it. test_nginx.py runs nginx with what it prints."""

import subprocess

import pytest

from tests import commands
from tests.cases import cases
from tests.commands import COMMAND


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """`cnx-mock` with these arguments."""
    return commands.run([COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)


@cases(
    ("arguments", "problem"),
    [
        ((), "Missing option '--upstream'"),
        (("--upstream", "https://127.0.0.1:4271"), "is not the URL of a server"),
        (("--upstream", "127.0.0.1:4271"), "is not the URL of a server"),
        (("--upstream", "http://a:1/v1"), "is not the URL of a server"),
        (("--upstream", "http://a;b:1"), "is not a host name or address"),
        (("--upstream", "http://a:1", "--upstream", "http://A:1/"), "is given twice"),
        (("--upstream", "http://a:1", "--listen", "4270"), "--listen: '4270' is not an address and a port"),
        (("--upstream", "http://a:1", "--listen", "127.0.0.1:70000"), "is not an address and a port"),
        (("--upstream", "http://a:1", "--listen", "a:1"), "--listen: a:1 is one of the servers"),
        (("--upstream", "http://a:1", "--control-from", "here;"), "--control-from: 'here;'"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: tuple[str, ...], problem: str) -> None:
    done = run("proxy-config", "nginx", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr


def test_the_file_says_how_it_was_made_and_what_asks_for_health() -> None:
    upstreams = ("--upstream", "http://10.0.0.1:4269", "--upstream", "http://[::1]")
    printed = run("proxy-config", "nginx", *upstreams).stdout
    assert "cnx-mock proxy-config nginx --upstream http://10.0.0.1:4269 --upstream 'http://[::1]:80'\n" in printed
    assert "#   http://10.0.0.1:4269/_mock/health\n" in printed
    assert "server [::1]:80 max_fails=0;\n" in printed
    assert "listen 127.0.0.1:4270;\n" in printed


@pytest.mark.parametrize("option", [("--workers", "4"), ("--workers=2",), ("--workers",)])
def test_workers_are_refused_with_the_reason_and_the_way_out(option: tuple[str, ...]) -> None:
    done = run("serve", "--port", "0", *option)
    assert (done.returncode, done.stdout) == (2, "")
    assert "all sandboxes are in the memory of one process" in done.stderr
    assert "cnx-mock proxy-config nginx" in done.stderr
