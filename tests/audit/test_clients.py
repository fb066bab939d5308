"""The corpus: small clients with one known defect each, and careful ones. Each defect is found, and nothing else.

Their waits are scaled: `BASE` stands for half a second, and the audit's thresholds are scaled with it. They wait
beside each other: longer waits take hardly longer, and a busy machine changes them less."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cnx_mock import MockServer, Sandbox
from cnx_mock.audit.audit import Finding, findings
from cnx_mock.audit.call import calls_of
from cnx_mock.audit.journals import entries_of
from cnx_mock.net.certificates import authority
from cnx_mock.python_api.control import Control
from tests.cases import rounds

pytestmark = [pytest.mark.clients, pytest.mark.slow]

FOLDER = Path(__file__).with_name("clients")
TOGETHER = Path(__file__).with_name("together.mjs")
BASE = 0.1
SCALED = {"poll_interval": "200ms"}
PATIENT = {**SCALED, "no_wait": "2ms"}
"""The thresholds for clients that do wait: a fifth of the default ones, as their waits are."""
BUSY = {**SCALED, "no_wait": "250ms", "handover": "300ms"}
"""The thresholds for clients that never wait: a busy machine needs longer to send a request again."""
NEVER_WAIT = ("busy_wait.py", "no_backoff.py", "fetch_at_once.mjs")
SEEDS = range(rounds(2, 5))


RUNNERS = {".mjs": "node", ".sh": "sh"}
"""The interpreter of a client that is not written in Python."""


def heads(word: str) -> dict[str, str]:
    """The clients whose head begins with this word, with what follows it."""
    paths = sorted(path for path in FOLDER.iterdir() if path.suffix in (".py", *RUNNERS))
    found = {
        path.name: re.search(rf'^(?:"""|# |// ){word}[.\s]*(.*)', path.read_text(), re.MULTILINE) for path in paths
    }
    return {name: head[1] for name, head in found.items() if head}


DEFECTIVE = {name: head.partition(":")[0] for name, head in heads("DEFECT").items()}
CAREFUL = list(heads("CAREFUL"))

ON_REQUEST = ("gave-up", "left-behind")


def rules(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"rules": list(given), "provisioning": {"polls": 4}, **more}


def every(operation: str, times: int | None = None, at: str = "before", **fault: Any) -> dict[str, Any]:
    limited = {} if times is None else {"times": times}
    return {"match": {"operation": operation}, "at": at, "fault": fault, **limited}


TROUBLE = {
    "none": rules(),
    "errors": rules(every("*", error="INTERNAL_ERROR")),
    "limited": rules(every("plans.list", 1, error="RATE_LIMITED", retry_after="1s")),
    "full": rules(every("instances.create", error="RATE_LIMITED", retry_after="30s")),
    "lost": rules(every("instances.create", 1, "after", connection="reset")),
    "silent": rules(every("instances.create", 1, "after", connection="hang")),
    "crowd": rules(world={"fixture": "fleet"}),
}

MEETS = {
    "no_backoff.py": "errors",
    "fixed_pause.py": "errors",
    "ignores_retry_after.py": "limited",
    "passes_over_429.py": "full",
    "retries_posts.py": "lost",
    "impatient.py": "silent",
    "first_page.py": "crowd",
    "layers.py": "errors",
    "gives_up.py": "errors",
    "fetch_at_once.mjs": "errors",
    "curl_retries_all.sh": "lost",
}
"""The trouble that shows a client's defect. The other clients need none."""

HARD_DAYS = {
    "spell": rules(every("*", 4, error="INTERNAL_ERROR")),
    "limit": rules(every("*", 1, error="RATE_LIMITED", retry_after="1s")),
    "lost": TROUBLE["lost"],
    "lost-delete": rules(every("instances.delete", 1, "after", connection="reset")),
    "silent": TROUBLE["silent"],
    "spoilt": rules(every("instances.*", 2, body="malformed_json")),
    "cut": rules(every("instances.*", 2, body={"truncate": 0.5})),
    "crowd": TROUBLE["crowd"],
    "polls": rules(every("instances.get", 3, error="INTERNAL_ERROR")),
}


def noise(seed: int) -> dict[str, Any]:
    """A day on which anything may fail, a different one for each seed."""
    return rules(
        {"match": {"method": "GET"}, "probability": 0.25, "fault": {"error": "INTERNAL_ERROR"}},
        {"match": {"method": "!GET"}, "probability": 0.2, "at": "after", "fault": {"connection": "reset"}},
        {"probability": 0.1, "fault": {"status": 503}},
        seed=seed,
    )


class Run(NamedTuple):
    client: str
    day: str
    story: dict[str, Any]
    seed: int = 0

    @property
    def base(self) -> float:
        """The unit of the client's waits, in seconds. On a busy machine one of 50 ms may take three times as long: a
        client whose waits are all the same needs longer ones."""
        return 3 * BASE if self.client == "fixed_pause.py" else BASE


def sandbox_of(server: MockServer, run: Run) -> Sandbox:
    return server.sandbox(run.story, name=f"{run.client} {run.day}")


def ran(server: MockServer, run: Run) -> Sandbox:
    """Run a client to its end, successful or not, and return its sandbox."""
    sandbox = sandbox_of(server, run)
    path = FOLDER / run.client
    if path.suffix == ".py":
        module = import_module(f"tests.audit.clients.{path.stem}")
        with suppress(Exception, SystemExit):
            module.run(sandbox.url, sandbox.api_key, run.base, run.seed)
    else:
        given = {"CLOUDNEXUS_BASE_URL": sandbox.url, "CLOUDNEXUS_API_KEY": sandbox.api_key, "BASE": str(BASE)}
        command = [RUNNERS[path.suffix], str(path)]
        subprocess.run(command, env={**os.environ, **given}, capture_output=True, timeout=120, check=False)
    return sandbox


def ran_together(server: MockServer, runs: list[Run]) -> list[Sandbox]:
    """Do all runs of a client for Node in one process, at once, and return their sandboxes."""
    sandboxes = [sandbox_of(server, run) for run in runs]
    command = ["node", str(TOGETHER), str(FOLDER / runs[0].client), *(each.api_key for each in sandboxes)]
    environ = {**os.environ, "CLOUDNEXUS_BASE_URL": server.url, "BASE": str(BASE)}
    subprocess.run(command, env=environ, capture_output=True, timeout=120, check=False)
    return sandboxes


def there(names: Iterable[str]) -> list[str]:
    """The clients that can be run here; all of them in CI, where none may be skipped."""
    return [name for name in names if "CI" in os.environ or shutil.which(RUNNERS.get(Path(name).suffix, "sh"))]


@pytest.fixture(scope="module", autouse=True)
def few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """None of these clients speaks TLS, but each would read all certificates of the system."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority(tmp_path_factory.mktemp("ca")).path))
        yield


@pytest.fixture(scope="module")
def imported() -> None:
    """All clients in Python are imported before one runs: an import holds up the others' calls."""
    for name in (*DEFECTIVE, *CAREFUL):
        if name.endswith(".py"):
            import_module(f"tests.audit.clients.{Path(name).stem}")


@pytest.fixture(scope="module")
def defective(few_certificates: None, imported: None) -> Iterator[dict[str, Sandbox]]:
    """The sandbox of every defective client after its run."""
    with MockServer() as server, ThreadPoolExecutor(8) as pool:
        runs = [Run(name, "its own", TROUBLE[MEETS.get(name, "none")]) for name in there(DEFECTIVE)]
        yield dict(zip(there(DEFECTIVE), pool.map(partial(ran, server), runs), strict=True))


@pytest.fixture(scope="module")
def careful(few_certificates: None, imported: None) -> Iterator[dict[str, Sandbox]]:
    """Every careful client's sandboxes, one for every hard day and one for every seed of a noisy one."""
    days = {**HARD_DAYS, **{f"noise {seed}": noise(seed) for seed in SEEDS}}
    with MockServer() as server, ThreadPoolExecutor(40) as pool:
        runs = {
            f"{name} {day}": Run(name, day, story, number)
            for name in there(CAREFUL)
            for number, (day, story) in enumerate(days.items(), 1)
        }
        in_node = [name for name, run in runs.items() if run.client.endswith(".mjs")]
        together = pool.submit(ran_together, server, [runs.pop(name) for name in in_node]) if in_node else None
        done = dict(zip(runs, pool.map(partial(ran, server), runs.values()), strict=True))
        yield done | (dict(zip(in_node, together.result(), strict=True)) if together else {})


@pytest.mark.parametrize("name", DEFECTIVE)
def test_every_defect_is_found_and_nothing_else(defective: dict[str, Sandbox], name: str) -> None:
    if name not in defective:
        pytest.skip(f"needs {RUNNERS[Path(name).suffix]}")
    code = DEFECTIVE[name]
    asked = [code] if code in ON_REQUEST else []
    sandbox = defective[name]
    found: list[Finding] = sandbox.audit.findings(also=asked, **(BUSY if name in NEVER_WAIT else SCALED))
    if code == "live-key":  # it never reached the sandbox
        with closing(Control(sandbox.url)) as control:
            journals = control.call("GET", "/_mock/journals")["data"]
        found = [each for each in findings(calls_of(entries_of(journals))) if each.sandbox is None]
    assert {each.code for each in found} == {code}, "\n".join(
        [*map(str, found), *(f"{each.wall} {each.connection} {each.duration_ms}" for each in sandbox.requests)]
    )


@pytest.mark.parametrize("name", CAREFUL)
@pytest.mark.parametrize("day", [*HARD_DAYS, *(f"noise {seed}" for seed in SEEDS)])
def test_a_careful_client_is_clean_on_the_worst_of_days(careful: dict[str, Sandbox], name: str, day: str) -> None:
    if f"{name} {day}" not in careful:
        pytest.skip(f"needs {RUNNERS[Path(name).suffix]}")
    sandbox = careful[f"{name} {day}"]
    assert sandbox.requests
    sandbox.audit.assert_clean(**PATIENT)


def test_the_reference_leaves_nothing_behind(careful: dict[str, Sandbox]) -> None:
    for day in ("lost", "silent", "spoilt", "limit"):
        sandbox = careful[f"careful.py {day}"]
        assert sandbox.requests
        sandbox.audit.assert_clean(also=["left-behind"], **PATIENT)


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(DEFECTIVE) >= 16
    assert len(CAREFUL) >= 6
    assert MEETS.keys() <= DEFECTIVE.keys()
