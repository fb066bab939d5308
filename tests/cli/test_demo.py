"""`cnx-mock demo`, as people use it: the real command, with real clients that talk to it over HTTP."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from cnx_mock.demo.stories import STORIES
from tests import commands
from tests.commands import COMMAND
from tests.conftest import taken_port

pytestmark = pytest.mark.slow

SECONDS = 120  # more than anything here takes; only a test that fails waits so long
FAST = ("--script", "--speed", "10")
PATH = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
"""Where `python` is this Python."""

MINE = """
import json, os, urllib.request
body = json.dumps({"name": "mine", "plan": "starter", "region": "us-east-1", "image": "debian-12"}).encode()
headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"], "Content-Type": "application/json"}
address = os.environ["CLOUDNEXUS_BASE_URL"] + "/v1/instances"
urllib.request.urlopen(urllib.request.Request(address, body, headers)).read()
"""


def demo(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    options = {"env": os.environ | PATH, **options}
    return commands.run([COMMAND, "demo", *arguments], capture_output=True, text=True, timeout=SECONDS, **options)


def lanes(text: str) -> dict[str, str]:
    """The verdict of each lane."""
    labels = re.findall(r"^(\S.*?): (?:\S*python|sh|sleep|/).*$", text, re.MULTILINE)
    verdicts = re.findall(
        r"^  (hung|duplicated|leaked|lost|hammered|failed cleanly|survived|not judged): ", text, re.MULTILINE
    )
    return dict(zip(labels, verdicts, strict=True))


EXPECTED = {
    "lost-response": ("duplicated", "survived", "$29.20 of it wasted"),
    "thundering-429s": ("leaked", "survived", "$87.60 of it wasted"),
    "regional-outage": ("leaked", "survived", "$58.40 of it wasted"),
    "credits-run-out": ("leaked", "failed cleanly", "$58.40 of it wasted"),
}


Told = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module", autouse=True)
def told() -> Iterator[Told]:
    """Gives what comes of a story. All of them are told beside each other, and beside the first tests: they consist of
    waits."""
    with ThreadPoolExecutor(len(STORIES) + 1) as pool:
        running = {story: pool.submit(demo, story, *FAST) for story in STORIES}
        running[TRY_NEXT] = pool.submit(tried_next)
        yield lambda story: running[story].result()


TRY_NEXT = "cnx-mock sweep --faults reset-after -- python -m cnx_mock.demo.clients.naive"
"""The last line of the first story."""


def tried_next() -> "subprocess.CompletedProcess[str]":
    """What comes of that line."""
    words = shlex.split(TRY_NEXT)[1:]
    return commands.run([COMMAND, *words], capture_output=True, text=True, timeout=SECONDS, env=os.environ | PATH)


def test_the_same_seed_shows_the_same_text() -> None:
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: demo("--seed", "3", *FAST).stdout, range(2))
    assert one == two
    assert "+!+++" in one


# ---- your own programs, and your own stories


def test_your_own_program_has_a_lane_in_your_own_story(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.yaml").write_text(
        "description: The second call is refused.\nrules:\n  - times: {only: [2]}\n    fault: {status: 503}\n"
    )
    done = demo("mine.yaml", "--client", f"{sys.executable} mine.py", *FAST, cwd=tmp_path)
    assert done.returncode == 0
    assert lanes(done.stdout)["your client"] == "survived"
    assert "POST   /v1/instances  201  mine" in done.stdout
    assert done.stdout.splitlines()[-1].strip() == f"cnx-mock sweep -- {sys.executable} mine.py"


def test_your_program_is_led_here_by_the_clouds_own_address_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace('os.environ["CLOUDNEXUS_BASE_URL"]', '"https://api.cloudnexus.com"'))
    done = demo("--client", f"{sys.executable} mine.py", *FAST, cwd=tmp_path)
    assert lanes(done.stdout)["your client"] == "leaked"  # its one create got no answer, and it gave up
    assert "connection=reset, but it has happened" in done.stdout.partition("\nnaive: ")[0]


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_has_started() -> None:
    done = demo("--client", "sh -c 'sleep 3217 & sleep 3217'", "--timeout", "1s", *FAST)
    assert lanes(done.stdout)["your client"] == "hung"
    assert done.returncode == 0
    assert not running("sleep 3217")


def test_programs_that_do_nothing_or_fail_by_themselves_are_not_swept() -> None:
    done = demo("--client", "sh -c 'echo broken >&2; exit 3'", *FAST)
    assert lanes(done.stdout)["your client"] == "not judged"
    assert "your client made no calls to the mock" in done.stdout
    assert "said: broken" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("naive")


# ---- what cannot be done


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lost-respons"], "no story is called 'lost-respons', did you mean 'lost-response'?"),
        (["./nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--client", "./nowhere"], "./nowhere is not found"),
        (["--client", "python 'x"], "no closing quotation"),
        (["--timeout", "0s"], "must be longer than 0s"),
        (["--timeout", "soon"], "must be a duration"),
        (["--port", "99999"], "99999 is not in the range"),
        (["--speed", "0"], "0.0 is not in the range"),
        (["--seed", "minus"], "'seed' must be a whole number"),
        (["lost-response", "credits-run-out"], "unexpected extra argument"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_2(arguments: list[str], words: str) -> None:
    done = demo("--script", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr.splitlines()[-1]


def test_a_program_that_cannot_be_started_ends_the_others(tmp_path: Path) -> None:
    script = tmp_path / "deploy"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    done = demo("--client", str(script), "--client", "sleep 3218", "--script")
    assert done.returncode == 2
    assert "the interpreter in its first line is not there" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not running("sleep 3218")


def test_a_port_that_is_taken_is_one_line() -> None:
    with taken_port() as port:
        done = demo("--script", "--port", str(port))
    assert done.returncode == 2
    assert "is already in use" in done.stderr
    assert done.stderr.endswith("; choose another with --port, or leave it out for a free one\n")
    assert done.stderr.count("\n") == 1


# ---- the page's side of it, and the end


@contextmanager
def shown(*arguments: str, **environ: str) -> Iterator[tuple[Any, str]]:
    """A demo that goes on, and the address of its server. Ctrl-C ends it, unless it has ended."""
    process: Any = commands.Popen(
        [COMMAND, "demo", *([] if "--speed" in arguments else ["--speed", "20"]), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | PATH | environ,
    )
    with process:
        try:
            process.stdout.readline()
            address = process.stdout.readline().split()[-1]
            yield process, address.partition("/_mock/")[0]
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(SECONDS)


def read(url: str) -> Any:
    with urlopen(f"{url}/_mock/demo", timeout=30) as answer:
        return json.load(answer)


def running(words: str) -> bool:
    """Whether a process has this command line. Only Linux shows them."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return any(words.replace(" ", "\0").encode() in line for line in lines)


def test_the_page_gets_the_show_and_stays_after_it() -> None:
    with shown("credits-run-out", "--no-browser") as (process, url):
        first = read(url)
        assert first["story"] == "credits-run-out"
        assert first["next"].startswith("cnx-mock sweep --faults no-credits -- ")
        assert [lane["label"] for lane in first["lanes"]] == ["naive", "careful"]
        while not process.stdout.readline().startswith("The page stays at "):
            pass
        last = read(url)
        assert (last["state"], [lane["status"] for lane in last["lanes"]]) == ("done", [1, 1])
        naive, careful = last["lanes"]
        assert (naive["verdict"], naive["leaked"], naive["monthly_waste"]) == ("leaked", 3, "$58.40")
        assert (careful["verdict"], careful["leaked"], careful["monthly_cost"]) == ("failed cleanly", 0, "$0.00")
        assert naive["started_at"] < naive["ended_at"]
        assert (naive["attempts"], naive["succeeded"]) == (7, 3)
        assert naive["words"] in last["summary"].replace("The naive", "the naive")
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_ends_everything(number: int) -> None:
    with shown("--no-browser", "--client", "sh -c 'sleep 3219 & exec sleep 3219'") as (process, url):
        assert read(url)["state"] == "running"
        process.send_signal(number)
        assert process.wait(SECONDS) == 130
        assert process.stderr.read() == ""
    assert not running("sleep 3219")


def test_without_any_browser_the_address_is_enough() -> None:
    with shown(BROWSER="/no/such/browser", DISPLAY="", PATH="/nowhere") as (process, url):
        assert read(url)["state"] in ("running", "done")
        while not process.stdout.readline().startswith("No browser was found"):
            assert process.poll() is None


def test_other_commands_know_nothing_of_a_demo(server: Any) -> None:
    with pytest.raises(Exception, match="404"):
        read(server.url)


def test_the_index_of_the_control_plane_says_whether_there_is_a_demo(server: Any) -> None:
    with shown("--no-browser") as (_, url):
        for address, place in ((url, "/_mock/demo"), (server.url, None)):
            with urlopen(f"{address}/_mock", timeout=30) as answer:
                assert json.load(answer)["demo"] == place


# ---- the stories, which have begun with the first test


@pytest.mark.parametrize("story", STORIES)
def test_each_story_costs_the_naive_client_money_and_the_careful_one_none(told: Told, story: str) -> None:
    done = told(story)
    naive, careful, waste = EXPECTED[story]
    assert (done.returncode, done.stderr) == (0, "")
    assert lanes(done.stdout) == {"naive": naive, "careful": careful}
    before, _, after = done.stdout.partition("\ncareful: ")
    assert waste in before
    assert "wasted" not in after.partition("\n\n")[0]
    assert STORIES[story][1].split()[-1] in after  # what it teaches ends the paragraph


def test_the_line_to_try_next_runs_as_it_is_printed(told: Told) -> None:
    assert told("lost-response").stdout.splitlines()[-1].strip() == TRY_NEXT
    swept = told(TRY_NEXT)
    assert swept.returncode == 1
    assert "duplicated" in swept.stdout
    assert "instances named web-1" in swept.stdout
