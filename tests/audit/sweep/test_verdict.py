"""Verdicts: what a run left, against what the run without faults leaves."""

from collections import Counter

import pytest

from cnx_mock.audit.sweep.state import Thing, Things
from cnx_mock.audit.sweep.verdict import Run, Verdict, judge, milder

WEB = Thing("instances", '{"name": "web", "status": "running"}', "web")
STOPPED = Thing("instances", '{"name": "web", "status": "stopped"}', "web")


def having(*things: Thing) -> Things:
    return Counter(things)


EXPECTED = Run(things=having(WEB), creates=1)


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (Run(status=None, things=having(WEB, WEB), creates=2), "hung"),
        (Run(things=having(WEB, WEB), creates=2), "duplicated"),
        (Run(status=1, things=having(WEB, WEB), creates=2), "duplicated"),
        (Run(status=1, things=having(WEB, WEB), creates=1), "leaked"),
        (Run(status=1, things=having(STOPPED), creates=1), "leaked"),
        (Run(things=having(), creates=0), "lost"),
        (Run(things=having(STOPPED), creates=1), "lost"),
        (Run(things=having(WEB), creates=1, hammering=["at once"]), "hammered"),
        (Run(status=1, things=having(), creates=0), "failed cleanly"),
        (Run(status=1, things=having(WEB), creates=1), "failed cleanly"),
        (Run(status=-9, things=having()), "failed cleanly"),
        (Run(things=having(WEB), creates=2), "survived"),
    ],
)
def test_the_first_that_holds_is_the_verdict(run: Run, verdict: Verdict) -> None:
    assert judge(EXPECTED, run).verdict == verdict


def test_what_was_there_before_is_nothing_that_a_failed_run_left() -> None:
    deletes = Run(things=having())
    assert judge(deletes, Run(status=1, things=having(WEB)), having(WEB)).verdict == "failed cleanly"
    assert judge(deletes, Run(status=1, things=having(WEB))).verdict == "leaked"


def test_what_a_run_without_faults_may_leave_is_no_faults_doing() -> None:
    run = Run(things=having(WEB))
    assert milder(judge(Run(), run), judge(Run(things=having(WEB)), run)).verdict == "survived"
