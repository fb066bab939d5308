"""The README's short table: the last run of the benchmark that was committed, and where it loses.

`python -m tests.bench.readme bench.json` makes that run the committed one. `make docs` then writes it into the README.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from cnx_mock.text.plural import counted
from tests.bench.results import OURS, figure
from tests.bench.stage import HERE

LAST_RUN = HERE / "last_run.json"
HEAD = "| work | cnx-mock | compared with | ratio | other mock servers |\n|---|---|---|---|---|"
UNNAMED = ("list of 20, p99", "get one, p99", "create, each with another name, p99")
"""Work that is measured and not named here."""
ONE_OF = ("command", "generate", "page", "state")
"""Rows of which one result is shown."""

UNBEATABLE = ("command", "page")
"""Rows whose ratio is to something that does less of the same."""
WIDTH = 140
"""Of a line of text. The README has room for few."""

Found = dict[str, Any]


def section() -> str:
    """The table and its sentences, from the committed run."""
    return written(json.loads(LAST_RUN.read_text("utf-8")))


def written(run: Found) -> str:
    """The table and its sentences, from a run's document."""
    ours = [each for each in run["results"] if each["by"] == OURS and each["work"] not in UNNAMED]
    rows = "\n".join(_line(each, _peers(run, each)) for each in ours if each is _shown(each, ours))
    lost = [sentence for each in ours if (sentence := _loss(each, _peers(run, each)))]
    where = fill(f"**Where it loses.** {'; '.join(lost) or 'nowhere in this run'}.", WIDTH, break_on_hyphens=False)
    return f"{fill(_about(run), WIDTH)}\n\n{HEAD}\n{rows}\n\n{where}"


def _shown(result: Found, ours: Sequence[Found]) -> Found:
    """The result that is shown: of some rows, the first one that misses its goal, or else the first one."""
    if result["row"] not in ONE_OF:
        return result
    same = [each for each in ours if each["row"] == result["row"]]
    return next((each for each in same if each["met"] is False), same[0])


def _about(run: Found) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    kind = f"{counted(run['rounds'], 'round')} of {run['seconds']} s" + ("; a quick run" if run["quick"] else "")
    return f"Measured on {run['date']} by `make bench`, {kind}. {run['machine']}. {versions}."


def _line(result: Found, peers: Sequence[Found]) -> str:
    beside = "" if result["base"] is None else f"{result['beside']}: {figure(result['base'])} {result['unit']}"
    ratio = "" if result["ratio"] is None else f"{result['ratio']:.2f}"
    others = ", ".join(f"{each['by']} {each['ratio']:.2f}" for each in peers)
    return f"| {result['work']} | {figure(result['value'])} {result['unit']} | {beside} | {ratio} | {others} |"


def _peers(run: Found, result: Found) -> list[Found]:
    """The same work by other mock servers, the best first."""
    same = [each for each in run["results"] if each["work"] == result["work"] and each["by"] != OURS]
    return sorted(same, key=lambda each: each["ratio"], reverse=result["more_is_better"])


def _loss(result: Found, peers: Sequence[Found]) -> str:
    """What is better than the mock at this work, and the goal if it is not reached; empty if there is nothing to
    say."""
    ahead = [each["by"] for each in peers if _is_better(each["ratio"], result["ratio"], result)]
    if result["ratio"] is not None and result["row"] not in UNBEATABLE and _is_better(1, result["ratio"], result):
        ahead.insert(0, result["beside"])
    said = [f"behind {', '.join(ahead)}"] if ahead else []
    if result["met"] is False:
        found = f"{result['ratio']:.2f}" if result["goal_of"] == "ratio" else figure(result["value"])
        said.append(f"{found}, the goal is {result['goal']}")
    return f"{result['work']} ({'; '.join(said)})" if said else ""


def _is_better(one: float, other: float, result: Found) -> bool:
    return one > other if result["more_is_better"] else one < other


def main() -> None:
    """Make a run the committed one."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.bench.readme bench.json")
    text = Path(sys.argv[1]).read_text("utf-8")
    written(json.loads(text))
    LAST_RUN.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
