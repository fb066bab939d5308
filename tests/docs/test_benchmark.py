"""The README shows the last committed run of the benchmark, and says where it loses."""

import json
import sys
from typing import Any

import pytest

from tests.bench import bench, readme
from tests.bench.stage import Failure
from tests.cases import cases
from tests.docs.generate import ROOT

ROW = {
    "row": "get",
    "work": "get one",
    "by": "cnx-mock",
    "value": 9000.0,
    "unit": "calls/s",
    "base": 10000.0,
    "beside": "bare uvicorn",
    "ratio": 0.9,
    "spread": [0.8, 1.0],
    "more_is_better": True,
    "goal": "≥ 1.5",
    "goal_of": "ratio",
    "met": False,
    "curve": [],
}
RUN = {
    "date": "2026-01-02",
    "quick": False,
    "rounds": 7,
    "seconds": 2,
    "machine": "4 cores",
    "versions": {"Python": "3.13.1"},
}


def run(*rows: dict[str, Any]) -> str:
    """What the README would say of these rows, each with what differs from ROW."""
    return readme.written({**RUN, "results": [{**ROW, **each} for each in rows]})


def test_the_readme_shows_the_committed_run() -> None:
    made = json.loads(readme.LAST_RUN.read_text("utf-8"))
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"<!-- benchmark -->\n\n{readme.section()}\n\n<!-- /benchmark -->" in text
    words = " ".join(text.split())
    assert made["date"] in words and made["machine"] in words
    assert all(f"{name} {number}" in words for name, number in made["versions"].items())


def test_who_is_better_and_which_goal_is_missed_is_said() -> None:
    text = run({}, {"by": "Quick", "ratio": 2.0}, {"by": "Slow", "ratio": 0.1})
    assert "| get one | 9,000 calls/s | bare uvicorn: 10,000 calls/s | 0.90 | Quick 2.00, Slow 0.10 |" in text
    assert "**Where it loses.** get one (behind bare uvicorn, Quick; 0.90, the goal is ≥ 1.5)." in text
    assert "Measured on 2026-01-02 by `make bench`, 7 rounds of 2 s. 4 cores. Python 3.13.1." in text


def test_of_many_pages_the_first_that_is_slow_is_shown_and_every_one_is_named() -> None:
    pages = [
        {"row": "page", "work": name, "met": met, "goal": "≤ 2", "ratio": ratio, "more_is_better": False}
        for name, met, ratio in (("by region", True, 1.2), ("by tag", False, 9.0), ("by status", False, 3.0))
    ]
    text = run(*pages)
    assert "| by tag |" in text and "| by region |" not in text and "| by status |" not in text
    assert "**Where it loses.** by tag (9.00, the goal is ≤ 2); by status (3.00, the goal is ≤ 2)." in text


def test_less_is_better_for_a_time() -> None:
    time = {"work": "start", "unit": "ms", "more_is_better": False, "met": True, "ratio": 1.4}
    text = run(time, {**time, "by": "Quick", "ratio": 1.3}, {**time, "by": "Slow", "ratio": 9.0})
    assert text.endswith("**Where it loses.** start (behind bare uvicorn, Quick).")
    assert run({**time, "ratio": 0.5}).endswith("**Where it loses.** nowhere in this run.")


@cases(
    ("arguments", "problem"),
    [
        (("--only", "list,strat"), "there is no row strat; the rows are list, get, create, "),
        (("--rounds", "0"), "--rounds, --seconds and --connections are 1 or more"),
        (("--only", ""), "--only needs a row"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: tuple[str, ...],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    with pytest.raises((SystemExit, Failure)) as refused:
        bench.main()
    assert problem in " ".join(f"{capsys.readouterr().err} {refused.value}".split())
