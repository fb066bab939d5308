"""TypeScript types that a generator makes from the document: a small client compiles strictly and does real work.

The packages come from npm, once, into `.venv/node`. Without Node the test is skipped, in CI it fails.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cnx_mock import Sandbox
from cnx_mock.http import reference

pytestmark = [pytest.mark.judge, pytest.mark.slow]

PACKAGES = ("openapi-typescript@7.13.0", "typescript@5.9.3")  # exact: there is no lock file
CACHE = Path(__file__).parents[2] / ".venv" / "node"
SCRIPT = Path(__file__).with_name("typescript_client.ts")


def missing(reason: str) -> None:
    """Skip the test on a developer's machine; fail it in CI, which skips nothing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder with the commands of the packages."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("node and npm are needed, and not installed")
    stamp = CACHE / "installed"
    if not stamp.exists() or stamp.read_text() != " ".join(PACKAGES):
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "install",
            "--prefix",
            str(CACHE),
            "--no-save",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
        ]
        done = subprocess.run([*command, *PACKAGES], capture_output=True, encoding="utf-8", timeout=110, check=False)
        if done.returncode != 0:
            missing(f"npm cannot install {' and '.join(PACKAGES)}: {done.stderr[-500:]}")
        stamp.write_text(" ".join(PACKAGES))
    return CACHE / "node_modules" / ".bin"


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


def test_it_compiles_and_creates_lists_pages_and_deletes(tools: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(reference.document("all", {}, ["/"])))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    # What has a default may be left out of a request; the generator would rather have it always there.
    run(tools / "openapi-typescript", "openapi.json", "-o", "api.ts", "--default-non-nullable=false", cwd=tmp_path)
    shutil.copy(SCRIPT, tmp_path / "client.ts")
    strict = (
        "--strict",
        "--noUncheckedIndexedAccess",
        "--exactOptionalPropertyTypes",
        "--noEmitOnError",
        "--skipLibCheck",
    )
    modern = ("--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable")
    run(tools / "tsc", *strict, *modern, "client.ts", cwd=tmp_path)
    printed = run("node", "client.js", cwd=tmp_path, env=sandbox.env)
    assert printed.startswith("created 3, deleted inst_")
    assert [each.operation for each in sandbox.requests] == [
        *["instances.create"] * 3,
        *["instances.list"] * 2,
        *("instances.get", "instances.delete", "instances.get", "instances.list"),
    ]
