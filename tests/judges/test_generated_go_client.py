"""A Go client that openapi-generator makes from the document compiles, passes `go vet`, and does real work.

The generator is a Java program; it comes from the package index, once, into `.venv`. Without Java or Go the test is
skipped, in CI it fails.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cnx_mock import Sandbox
from cnx_mock.http import reference
from tests.judges.node import VENV, missing, run

pytestmark = [pytest.mark.judge, pytest.mark.slow]

PACKAGE = "openapi-generator-cli==7.26.0"
PROGRAM = Path(__file__).with_name("go_client.go")


@pytest.fixture(scope="module")
def generator() -> Path:
    """The generator's jar."""
    if shutil.which("java") is None or shutil.which("go") is None:
        missing("java and go are needed, and not installed")
    folder = VENV / "openapi-generator"
    jar = folder / "openapi_generator_cli" / "openapi-generator.jar"
    if not jar.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), PACKAGE]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=110, check=False)
        if done.returncode != 0:
            missing(f"pip cannot install {PACKAGE}: {done.stderr[-500:]}")
    return jar


def test_it_compiles_and_creates_and_lists(generator: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(reference.document("all", {}, [sandbox.url])))
    module = tmp_path / "cnx"
    given = ("-i", "openapi.json", "-g", "go", "-o", "cnx", "--additional-properties", "packageName=cnx")
    run("java", "-jar", generator, "generate", *given, cwd=tmp_path)
    shutil.rmtree(module / "test")  # it needs a module of others, and tests nothing
    (module / "program").mkdir()
    shutil.copy(PROGRAM, module / "program" / "main.go")
    run("go", "vet", "./...", cwd=module)
    assert run("go", "run", "./program", cwd=module, env=sandbox.env).split() == ["provisioning", "provisioning", "1"]
