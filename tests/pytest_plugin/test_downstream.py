"""A project downstream (tests/downstream) that finds its retry bug with us, run as its people run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import commands
from tests.pytest_plugin.conftest import without_others

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[1] / "downstream"


@pytest.mark.parametrize("options", [["-W", "error"], ["-n", "2", "-W", "error"]], ids=["alone", "parallel"])
def test_the_downstream_project_passes_and_its_bug_is_caught(options: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CNX_MOCK_", "PYTEST_"))}
    forked = "-n" in options  # the workers are most of the work, and are started as alone
    done = commands.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *without_others(but=("anyio", "asyncio")), *options],
        cwd=PROJECT,
        env=environment | {"NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
        popen=commands.popen_pytest if forked else subprocess.Popen,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "17 passed, 1 xfailed in " in done.stdout
