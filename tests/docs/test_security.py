"""Every test that SECURITY.md names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`")


def test_every_test_that_holds_a_promise_is_there() -> None:
    file, missing, names = "", [], 0
    for path, test in NAMED.findall((ROOT / "SECURITY.md").read_text(encoding="utf-8")):
        file = path or file  # `::test` alone is in the file named before
        source = (ROOT / file).read_text(encoding="utf-8") if file and (ROOT / file).is_file() else ""
        names += 1
        if not source or (test and f"def {test}(" not in source):
            missing.append(f"{file}::{test}")
    assert not missing
    assert names > 20
