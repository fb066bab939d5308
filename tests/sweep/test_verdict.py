"""The verdict: the first that holds, by what a run left and not only by its exit status."""

from collections import Counter

import pytest

from cnx_mock.sweep.state import ResourceState
from cnx_mock.sweep.verdict import Evidence, judge, mildest

WEB = ResourceState("instances", '{"name": "web-1", "status": "running"}', "web-1")
STOPPED = ResourceState("instances", '{"name": "web-1", "status": "stopped"}', "web-1")
BEFORE = ResourceState("instances", '{"name": "was-here", "status": "running"}', "was-here")
EXPECTED = Evidence(status=0, resources=Counter([BEFORE, WEB]), creates=1)


@pytest.mark.parametrize(
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
    assert mildest(*both).verdict == "survived"
