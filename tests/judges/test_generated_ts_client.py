"""TypeScript types that a generator makes from the document: a small client compiles strictly and does real work.

The packages come from npm, once, into `.venv/node`. Without Node the test is skipped, in CI it fails.
"""

import json
import shutil
from pathlib import Path

import pytest

from cnx_mock import Sandbox
from cnx_mock.http import reference
from tests.judges.node import installed, run

pytestmark = [pytest.mark.judge, pytest.mark.slow]

SCRIPT = Path(__file__).with_name("typescript_client.ts")


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder with the commands of the packages."""
    return installed("node", "openapi-typescript@7.13.0", "typescript@5.9.3")


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
