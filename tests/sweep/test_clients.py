"""The corpus of the sweep: programs with one known defect each, and a careful one. Each defect has its verdict, and no
other is given."""

import json
import sys
from pathlib import Path

import pytest

from cnx_mock.sweep.verdict import GOOD
from tests import commands
from tests.commands import COMMAND

pytestmark = [pytest.mark.clients, pytest.mark.slow]

FOLDER = Path(__file__).parent / "clients"
SECONDS = 120  # more than anything here takes; only a test that fails waits so long

MEETS = {
    "leaves": "error,reset,truncate",
    "polls": "error,never-ready,rate-limit",
    "recreates": "error,error-after,reset-after,hang-after",
    "storms": "error,outage,rate-limit,no-credits",
    "swallows": "error,reset,reset-after,no-credits",
}
"""Among these faults is what brings a client's defect to light."""


def verdicts(client: str, folder: Path, *options: str) -> set[str]:
    """Everything that a sweep says of a client, survival and clean failures aside."""
    report = folder / "report.json"
    words = [COMMAND, "sweep", "-j", "2", "--timeout", "3s", "--report", report, *options, "--"]
    done = commands.run(
        [*words, sys.executable, FOLDER / f"{client}.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {cell["verdict"] for cell in json.loads(report.read_text())["cells"]} - {*GOOD}


@pytest.mark.parametrize("client", MEETS)
def test_every_defect_has_its_verdict_and_no_other(client: str, tmp_path: Path) -> None:
    head = (FOLDER / f"{client}.py").read_text().splitlines()[0]
    expected = head.removeprefix('"""DEFECT ').partition(":")[0]
    assert verdicts(client, tmp_path, "--faults", MEETS[client]) == {expected}


def test_a_careful_client_is_clean_whatever_strikes(tmp_path: Path) -> None:
    assert verdicts("careful", tmp_path, "--timeout", "30s") == set()
