"""`make bench ARGS=--plugin`: what the pytest plugin costs a suite.

Importing it, as every suite in its environment does, whether it uses it or not; and a test with a sandbox of its own,
above the same test without one. The server's start is left out: it comes once, in both runs that are compared.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench.stage import Failure, machine, two_cores

TESTS = 300
IMPORT = """
import time, pytest, _pytest.config
began = time.perf_counter()
import cnx_mock.pytest_plugin.plugin
print(time.perf_counter() - began)
"""


def measure(rounds: int) -> None:
    """Measure and print everything."""
    print(machine(*two_cores()))
    print(f"medians of {rounds} rounds, in milliseconds")
    print(f"importing the plugin, beside pytest alone   {imported(rounds) * 1000:6.2f}")
    print(f"a test with `cnx`, beside one without       {per_test(rounds) * 1000:6.2f}")


def imported(rounds: int) -> float:
    """Seconds for the import, pytest being there."""
    return median(float(_run([sys.executable, "-c", IMPORT]).stdout) for _ in range(rounds))


def per_test(rounds: int) -> float:
    """Seconds that a test with a sandbox takes more than a test without."""
    with tempfile.TemporaryDirectory() as folder:
        return median(_more(Path(folder), "cnx") - _more(Path(folder), "") for _ in range(rounds))


def _more(folder: Path, fixture: str) -> float:
    """Seconds that each further test takes."""
    return (_suite(folder, fixture, TESTS) - _suite(folder, fixture, 1)) / (TESTS - 1)


def _suite(folder: Path, fixture: str, tests: int) -> float:
    """Seconds for a suite of tests that do nothing."""
    parameters = ", ".join(["n", *([fixture] if fixture else [])])
    test = f"@pytest.mark.parametrize('n', range({tests}))\ndef test_nothing({parameters}):\n    pass\n"
    source = f"import pytest\n\n\n{test}"
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    began = time.perf_counter()
    _run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "cnx_mock.pytest_plugin.plugin",
            str(folder),
        ]
    )
    return time.perf_counter() - began


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # what others' plugins take is not ours
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
    return done
