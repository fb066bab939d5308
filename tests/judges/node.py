"""Commands of npm packages for the judges. They are installed once, below `.venv`.

Without Node the tests that need them are skipped, in CI they fail.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

VENV = Path(__file__).parents[2] / ".venv"


def missing(reason: str) -> None:
    """Skip the test on a developer's machine; fail it in CI, which skips nothing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def installed(name: str, *packages: str) -> Path:
    """Return the folder with the commands of these packages, which are installed in a folder of this name.

    Their versions are exact: there is no lock file.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("node and npm are needed, and not installed")
    folder = VENV / name
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != " ".join(packages):
        folder.mkdir(parents=True, exist_ok=True)
        options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
        command = ["npm", "install", "--prefix", str(folder), *options, *packages]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=110, check=False)
        if done.returncode != 0:
            missing(f"npm cannot install {' and '.join(packages)}: {done.stderr[-500:]}")
        stamp.write_text(" ".join(packages))
    return folder / "node_modules" / ".bin"


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command and return its output. Fails with the output if the command fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout
