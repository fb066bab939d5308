"""One sentence for a bad cell: what the client did, and what is left, missing or different."""

from collections import Counter

from cnx_mock.sweep.explanation import left_over, reason, sentence
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.state import ResourceState, StateDifference
from tests.cases import cases
from tests.sweep.builders import resource, result

WEB, DB = resource("web-1"), resource("db-1")
PLANNED = ResourceState("instances", '{"name": "web-1", "plan": "pro"}', "web-1")
JOB, ANOTHER = (ResourceState("instances", '{"name": "job-*"}', name) for name in ("job-3f2a", "job-9c1d"))
ACTUAL = ResourceState("instances", '{"name": "web-1", "plan": "starter"}', "web-1")


@cases(
    ("given", "expected"),
    [
        (
            result(verdict="hung", status=None, seconds=3.04),
            "your client was still running after 3.0 s and was ended",
        ),
        (
            result(verdict="hung", status=None, seconds=3.0, calls={"plans.list": 40, "instances.get": 2}),
            "your client was still running after 3.0 s and was ended; it called plans.list 40 times",
        ),
        (
            result(verdict="duplicated", left=[WEB], resources=Counter([WEB, WEB])),
            "your client retried and left 2 instances named web-1",
        ),
        (
            result(verdict="duplicated", left=[WEB], resources=Counter([WEB, WEB, WEB]), status=1),
            "your client retried, failed (exit status 1) and left 3 instances named web-1",
        ),
        (
            result(verdict="leaked", left=[WEB], status=1),
            "your client failed (exit status 1) and left the instance web-1 behind",
        ),
        (
            result(verdict="leaked", left=[WEB, resource("lb", "load_balancers"), DB], status=-9),
            "your client was ended by signal 9 and left the instance web-1, the load balancer lb and the instance db-1 "
            "behind",
        ),
        (
            result(verdict="leaked", left=[resource(f"web-{number}") for number in range(5)]),
            "your client reported success (exit status 0) and left the instance web-0, the instance web-1, "
            "the instance web-2 and 2 more behind",
        ),
        (
            result(verdict="lost", difference=StateDifference(missing=(WEB,))),
            "your client reported success (exit status 0), but the instance web-1 is missing",
        ),
        (
            result(verdict="lost", difference=StateDifference(missing=(WEB, WEB))),
            "your client reported success (exit status 0), but 2 instances named web-1 are missing",
        ),
        (
            result(verdict="lost", difference=StateDifference(changed=((PLANNED, ACTUAL),))),
            "your client reported success (exit status 0), but the instance web-1 has a different plan",
        ),
        (
            result(verdict="raised", status=1, output="KeyError: 'plans'"),
            "your client raised KeyError: 'plans', which the test does not allow",
        ),
        (
            result(verdict="hammered", hammering=["flat-backoff: #1 and #2", "early-retry: #3"]),
            "your client retries badly: flat-backoff: #1 and #2; early-retry: #3",
        ),
        (
            result(verdict="leaked", left=[WEB], fired=False),
            "your client reported success (exit status 0) and left the instance web-1 behind; "
            "the fault was never injected, so CMD behaves differently from run to run",
        ),
        (result(verdict="survived"), ""),
        (
            result(verdict="failed cleanly", status=1),
            "your client failed (exit status 1) and left nothing of its own behind",
        ),
        (
            result(verdict="failed cleanly", status=1, kept=[WEB]),
            "your client failed (exit status 1) and left the instance web-1, which it may leave",
        ),
        (
            result(verdict="failed cleanly", status=-9, kept=[WEB], undeletable=True),
            "your client was ended by signal 9 and left the instance web-1, which it could not delete",
        ),
    ],
)
def test_the_reason_says_what_the_client_did(given: CellResult, expected: str) -> None:
    assert reason(given) == expected


@cases(
    ("left", "words"),
    [
        ([WEB, WEB], "2 instances named web-1"),
        ([WEB], "the instance web-1 is left"),
        ([WEB, WEB, resource("a")], "2 instances named web-1 and the instance a are left"),
        ([JOB, ANOTHER], "2 instances named job-*"),
        ([JOB], "the instance job-3f2a is left"),
    ],
)
def test_what_is_left_is_said_in_a_sentence(left: list[ResourceState], words: str) -> None:
    assert left_over(StateDifference(extra=tuple(left)), Counter(left)) == words


def test_the_sentence_names_the_cell_too() -> None:
    given = result(verdict="leaked", left=[WEB], status=1)
    assert sentence(given) == (
        "`POST /v1/instances` #1, reset before effect: "
        "your client failed (exit status 1) and left the instance web-1 behind"
    )
