"""What lies between a client and the API: what the sweep says of clients that do not reckon with it, and of one that
does. The programs are real processes; their sweeps run in this process."""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from cnx_mock.audit.audit import hammering
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.settings import Settings
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import FAULTS, select_faults
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.swept_call import swept_calls
from cnx_mock.sweep.trial import RunConfig, private
from cnx_mock.sweep.verdict import Evidence, judge
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND
from tests.sweep.builders import Silence, resource

FOLDER = Path(__file__).parent / "clients" / "transports"
NEW = ["gateway", "revoked", "delivered-twice", "dies-idle", "refused", "no-handshake"]
SHOWN_BY = {
    "html_as_json": ["gateway"],
    "one_connection": ["dies-idle", "refused", "no-handshake"],
    "asks_again": ["revoked"],
    "goes_on": ["revoked"],
    "gone_is_failure": ["delivered-twice"],
}
"""The faults that bring each client's defect to light."""
clients = pytest.mark.clients
slow = pytest.mark.slow


def environment(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
    """Over HTTPS, so that there are handshakes."""
    return {
        "CLOUDNEXUS_BASE_URL": sockets.tls_url or "",
        "CLOUDNEXUS_API_KEY": key,
        "SSL_CERT_FILE": str(sockets.ca_path),
    }


def swept(client: str, faults: list[str], **options: object) -> Sweep:
    """The sweep of a client with these faults."""
    settings = private(Settings(tls=True, tls_port=0))
    config = RunConfig(
        command=[sys.executable, str(FOLDER / f"{client}.py")], settings=settings, environment=environment
    )
    made = SweepOptions(faults=select_faults(faults), seconds=30, jobs=2, **options)  # type: ignore[arg-type]
    sweep = Sweep(options=made, check_hammering=hammering, config=config, progress=Silence())
    asyncio.run(sweep.run())
    assert all(each.fired for each in sweep.results.values())
    return sweep


def verdicts(sweep: Sweep) -> dict[str, set[str]]:
    """The verdicts by the fault."""
    found: dict[str, set[str]] = {}
    for each in sweep.results.values():
        found.setdefault(each.cell.fault.name, set()).add(each.verdict)
    return found


@slow
@clients
@pytest.mark.parametrize("client", SHOWN_BY)
def test_every_defect_has_its_verdict(client: str) -> None:
    head = re.search("DEFECT ([a-z]+)", (FOLDER / f"{client}.py").read_text())
    assert head is not None
    found = verdicts(swept(client, SHOWN_BY[client]))
    assert found.keys() == {*SHOWN_BY[client]}
    assert all(head[1] in each for each in found.values()), found


@slow
@clients
def test_a_careful_client_survives_them_all_and_cannot_clean_up_behind_a_dead_key() -> None:
    sweep = swept("careful", NEW)
    assert verdicts(sweep) == {**{name: {"survived"} for name in NEW}, "revoked": {"failed cleanly"}}
    left = [sentence(each) for each in sweep.results.values() if each.judgement.kept]
    assert left
    assert all(each.endswith("left the instance web-1, which it could not delete") for each in left)


@slow
@clients
def test_a_client_that_does_not_look_again_is_told_so_and_not_blamed() -> None:
    [result] = swept("trusts_one_answer", ["delivered-twice"]).results.values()
    assert sentence(result) == (
        "`POST /v1/instances` #1, delivered twice: your client reported success (exit status 0) and did not look "
        "again: 2 instances named web-1"
    )
    assert result.verdict == "doubled"
    [shown] = result.journal
    assert (len((shown.created or "").split(", ")), shown.faults) == (2, ("delivery=twice",))


@slow
@clients
def test_behind_the_fault_a_second_run_finds_a_key_that_is_valid_and_a_port_that_is_open() -> None:
    sweep = swept("one_connection", ["revoked", "refused"], again="after a failure")
    assert {each.verdict for each in sweep.results.values()} <= {"recovered", "duplicated"}
    assert all(each.status == 0 for each in sweep.results.values())


@slow
@clients
@pytest.mark.parametrize("fault", [name for name in NEW if name != "no-handshake"])
def test_the_line_of_a_cell_does_the_same_again(fault: str, tmp_path: Path) -> None:
    client = "trusts_one_answer" if fault == "delivered-twice" else "one_connection"
    command = [COMMAND, "sweep", "--faults", fault, "--operations", "instances.create", "--report", "out.json"]
    program = [sys.executable, str(FOLDER / f"{client}.py")]
    commands.run([*command, "--", *program], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    [file] = (tmp_path / ".cnx-mock" / "sweep").iterdir()
    again = [COMMAND, "run", "--scenario", str(file), "--", *program]
    done = commands.run(again, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert re.search(f"sweep:instances.create-1-{fault} fired 1 time", done.stderr), done.stderr
    assert (done.returncode == 0) == (fault == "delivered-twice")
    left = {"delivered-twice": 2, "gateway": 0, "revoked": 0}.get(fault, 1)
    assert done.stderr.count("left behind: instance web-1") == left


# ---- what applies to what


def entry(**fields: object) -> dict[str, object]:
    entry = {"operation": "plans.list", "method": "GET", "status": 200, "committed": False, "faults": []}
    return {**entry, "query": "", "request_body": None, "response_body": "{}", "connection": 1, **fields}


def test_a_connection_that_is_used_again_can_die_meanwhile() -> None:
    calls = swept_calls([entry(), entry(connection=2), entry(), entry(connection=2), entry(connection=None)])
    assert [call.reused for call in calls] == [True, True, False, False, False]
    assert [call.followed for call in calls] == [True, True, True, True, False]


def test_calls_that_an_earlier_calls_fault_has_struck_are_not_counted() -> None:
    struck = {"faults": [{"rule": "it", "fault": "revoked=forever"}], "status": 401}
    first = entry(**struck, decisions=[{"rule": "it", "fired": True, "reason": "match 1"}])
    assert [call.ordinal for call in swept_calls([first, entry(**struck, decisions=[]), entry()])] == [1, 2]


def test_handshakes_fail_only_where_there_are_some() -> None:
    [fault] = select_faults(["no-handshake"])
    plain, secure = swept_calls([entry(), entry(secure=True), entry()])[:2]
    assert [fault.applies_to(call) for call in (plain, secure)] == [False, True]


def test_what_strikes_the_whole_server_is_used_only_by_name() -> None:
    assert {fault.name for fault in FAULTS if not fault.by_default} == {"refused", "no-handshake"}
    assert all(fault.server != fault.by_default for fault in FAULTS if fault.name in NEW)


# ---- the verdict

WEB, FW = resource("web-1"), resource("fw", "firewalls")


@cases(
    ("actual", "verdict"),
    [
        (Evidence(resources=Counter([WEB, WEB]), creates=1, unannounced=Counter([WEB])), "doubled"),
        (Evidence(resources=Counter([WEB]), creates=1, unannounced=Counter([WEB])), "survived"),  # it deleted one
        (Evidence(resources=Counter([WEB]), creates=1), "survived"),
        (Evidence(resources=Counter([WEB, WEB, WEB]), creates=2, unannounced=Counter([WEB])), "duplicated"),
        (Evidence(resources=Counter([WEB, WEB, FW]), creates=1, unannounced=Counter([WEB])), "leaked"),
        (Evidence(status=1, resources=Counter([WEB]), own=Counter(), unannounced=Counter([WEB])), "failed cleanly"),
        (Evidence(status=1, resources=Counter([WEB, WEB]), own=Counter(), unannounced=Counter([WEB])), "doubled"),
        (
            Evidence(status=1, resources=Counter([WEB, WEB]), own=Counter([WEB]), unannounced=Counter([WEB])),
            "leaked",
        ),
        (Evidence(resources=Counter([FW]), creates=1, unannounced=Counter([FW])), "lost"),
        (Evidence(status=None, resources=Counter([WEB, WEB]), unannounced=Counter([WEB])), "hung"),
    ],
)
def test_only_what_the_client_could_not_know_of_is_set_aside(actual: Evidence, verdict: str) -> None:
    expected = Evidence(resources=Counter([WEB]), creates=1)
    judgement = judge(expected, actual)
    assert judgement.verdict == verdict
    if verdict == "doubled":
        assert judgement.left == (WEB,)
