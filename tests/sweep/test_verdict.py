"""The verdict: the first that holds, by what a run left and not only by its exit status."""

from collections import Counter

from cnx_mock.sweep.state import ResourceState
from cnx_mock.sweep.verdict import Evidence, best_of, judge
from tests.cases import cases

WEB = ResourceState("instances", '{"name": "web-1", "status": "running"}', "web-1")
STOPPED = ResourceState("instances", '{"name": "web-1", "status": "stopped"}', "web-1")
BEFORE = ResourceState("instances", '{"name": "was-here", "status": "running"}', "was-here")
EXPECTED = Evidence(status=0, resources=Counter([BEFORE, WEB]), creates=1)


@cases(
    ("run", "verdict"),
    [
        (Evidence(status=None, resources=Counter([BEFORE, WEB, WEB]), creates=2, hammering=["flat"]), "hung"),
        (Evidence(status=0, resources=Counter([BEFORE, WEB, WEB]), creates=2, hammering=["flat"]), "duplicated"),
        (Evidence(status=1, resources=Counter([BEFORE, WEB, WEB]), creates=2), "duplicated"),
        (Evidence(status=0, resources=Counter([BEFORE, WEB, WEB]), creates=1), "leaked"),
        (Evidence(status=1, resources=Counter([BEFORE, STOPPED]), creates=1), "leaked"),
        (Evidence(status=0, resources=Counter([BEFORE]), creates=0, hammering=["flat"]), "lost"),
        (Evidence(status=0, resources=Counter([BEFORE, STOPPED]), creates=1), "lost"),
        (Evidence(status=0, resources=Counter([BEFORE, WEB]), creates=1, hammering=["flat"]), "hammered"),
        (Evidence(status=1, resources=Counter([BEFORE]), creates=0), "failed cleanly"),
        (Evidence(status=1, resources=Counter([BEFORE, WEB]), creates=1), "failed cleanly"),
        (Evidence(status=-15, resources=Counter(), creates=0), "failed cleanly"),
        (Evidence(status=0, resources=Counter([BEFORE, WEB]), creates=1), "survived"),
        (Evidence(status=0, resources=Counter([BEFORE, WEB]), creates=2), "survived"),
    ],
)
def test_the_first_verdict_that_holds(run: Evidence, verdict: str) -> None:
    assert judge(EXPECTED, run, Counter([BEFORE])).verdict == verdict


@cases(
    ("run", "strict", "partial"),
    [
        # what the run without faults leaves as well
        (
            Evidence(status=1, resources=Counter([BEFORE, WEB]), own=Counter([WEB]), creates=1),
            "leaked",
            "failed cleanly",
        ),
        (
            Evidence(status=-9, resources=Counter([BEFORE, WEB]), own=Counter([WEB]), creates=1),
            "leaked",
            "failed cleanly",
        ),
        # one more than that
        (
            Evidence(status=1, resources=Counter([WEB, WEB]), own=Counter([WEB, WEB]), creates=2),
            "duplicated",
            "duplicated",
        ),
        (Evidence(status=1, resources=Counter([STOPPED]), own=Counter([STOPPED]), creates=1), "leaked", "leaked"),
        # two were created, and one of them is deleted
        (Evidence(status=1, resources=Counter([WEB]), own=Counter([WEB]), creates=2), "leaked", "failed cleanly"),
        # all that was created is deleted; what a test has put there itself is not the program's
        (Evidence(status=1, resources=Counter([BEFORE]), creates=1), "failed cleanly", "failed cleanly"),
        (Evidence(status=1, resources=Counter([BEFORE, WEB]), creates=0), "failed cleanly", "failed cleanly"),
        # the fault refused every delete
        (
            Evidence(status=1, resources=Counter([WEB]), own=Counter([WEB]), undeletable=Counter([WEB]), creates=1),
            "failed cleanly",
            "failed cleanly",
        ),
        (
            Evidence(status=1, resources=Counter([WEB, WEB]), own=Counter([WEB, WEB]), undeletable=Counter([WEB])),
            "leaked",
            "failed cleanly",
        ),
    ],
)
def test_a_failed_run_may_leave_nothing_of_its_own_unless_that_is_allowed(
    run: Evidence, strict: str, partial: str
) -> None:
    start = Counter([BEFORE])
    assert judge(EXPECTED, run, start).verdict == strict
    assert judge(EXPECTED, run, start, allow_partial=True).verdict == partial


def test_a_run_that_reports_success_may_not_leave_what_it_could_not_delete() -> None:
    run = Evidence(status=0, resources=Counter([WEB]), own=Counter([WEB]), undeletable=Counter([WEB]), creates=1)
    assert judge(Evidence(creates=1), run).verdict == "leaked"


def test_a_failed_run_may_leave_what_was_there_as_it_was() -> None:
    deletes = Evidence(status=0, resources=Counter(), creates=0)
    failed = Evidence(status=1, resources=Counter([BEFORE]), creates=0)
    assert judge(deletes, failed, Counter([BEFORE])).verdict == "failed cleanly"


def test_what_a_run_without_faults_may_leave_is_no_faults_doing() -> None:
    run = Evidence(status=0, resources=Counter([WEB, WEB]), creates=2)
    both = (
        judge(Evidence(resources=Counter([WEB]), creates=1), run),
        judge(Evidence(resources=Counter([WEB, WEB]), creates=2), run),
    )
    assert best_of(*both).verdict == "survived"
