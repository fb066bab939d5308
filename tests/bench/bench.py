"""`make bench`: how fast the mock is, from the wire to a world of a million instances, in one table.

Every figure stands beside what it is compared to, measured in the same run in turns: a bare app that answers the same
bytes, Starlette's start, the same page of a small world. Compare the ratios, not the absolute numbers.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import peers, plugin, precision, scale, start, sweep, wire
from tests.bench.plan import Plan
from tests.bench.results import Result, document, table
from tests.bench.stage import ROOT, Failure, machine, processor, two_cores, versions


@dataclass(frozen=True)
class Group:
    """Rows that are measured together, in turns."""

    rows: tuple[str, ...]
    measure: Callable[[Plan, Sequence[str]], Iterator[Result]]


GROUPS = (
    Group(("list", "get", "create", "named"), wire.measure),
    Group(("start", "command", "run"), start.measure),
    Group(("generate",), scale.generate),
    Group(("page",), scale.page),
    Group(("sandboxes",), scale.sandboxes),
    Group(("state",), scale.state),
)
ROWS = tuple(row for group in GROUPS for row in group.rows)
SIZES = (1_000, 10_000, 100_000)


def main() -> None:
    asked = _arguments()
    if asked.precision:
        precision.measure(asked.rounds, asked.seconds)
    elif asked.plugin:
        plugin.measure(asked.rounds)
    elif asked.sweep:
        sweep.measure(asked.rounds, quick=asked.quick)
    else:
        _bench(asked)


def _bench(asked: argparse.Namespace) -> None:
    plan = _plan(asked)
    began = datetime.now(UTC)
    about = machine(plan.server_core, plan.load_core)
    print(f"{began:%Y-%m-%d}: {about}")
    print(f"{plan.rounds} rounds of {plan.seconds} s, {plan.connections} connections, medians")
    found, failures = _measured(plan, asked.only)
    print(table(found))
    for row, reason in failures.items():
        print(f"{row}: not measured: {reason}")
    run = {
        "date": f"{began:%Y-%m-%d}",
        "quick": asked.quick,
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "connections": plan.connections,
        "machine": about.partition(", Python ")[0],
        "processor": processor(),
        "versions": versions() | {each.name: each.version for each in plan.peers},
    }
    asked.output.write_text(document(run, found, failures), encoding="utf-8")
    print(f"wrote {asked.output}", file=sys.stderr)
    if failures:
        sys.exit(1)


def _measured(plan: Plan, only: Sequence[str]) -> tuple[list[Result], dict[str, str]]:
    """The results of the chosen rows, and why some could not be measured."""
    found: list[Result] = []
    failures: dict[str, str] = {}
    for group in GROUPS:
        rows = [row for row in group.rows if row in only]
        try:
            if rows:
                found += group.measure(plan, rows)
        except Failure as failure:
            failures[", ".join(rows)] = str(failure)
            plan.say(f"{', '.join(rows)}: {failure}")
    order = {row: number for number, row in enumerate(ROWS)}
    return sorted(found, key=lambda each: order[each.row]), failures


def _plan(asked: argparse.Namespace) -> Plan:
    if min(asked.rounds, asked.seconds, asked.connections) < 1:
        raise Failure("--rounds, --seconds and --connections are 1 or more")
    if asked.peers and not any(each.is_there for each in peers.PEERS):
        raise Failure("no other mock server is installed: run make bench-peers")
    server_core, load_core = two_cores()
    there = tuple(each for each in peers.PEERS if each.is_there) if asked.peers else ()
    return Plan(
        rounds=asked.rounds,
        seconds=asked.seconds,
        connections=asked.connections,
        sizes=SIZES if asked.quick else (*SIZES, 1_000_000),
        sandboxes=1_000 if asked.quick else 10_000,
        server_core=server_core,
        load_core=load_core,
        peers=there,
    )


def _rows(text: str) -> list[str]:
    """The rows with these names. Raises ArgumentTypeError for a name that is not one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if wrong := [name for name in names if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"there is no row {', '.join(wrong)}; the rows are {', '.join(ROWS)}")
    if not names:
        raise argparse.ArgumentTypeError(f"--only needs a row; the rows are {', '.join(ROWS)}")
    return names


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="How fast the mock is, beside what it is like.")
    parser.add_argument("--quick", action="store_true", help="under a minute: few rounds, and no world above 100,000")
    parser.add_argument("--only", type=_rows, default=list(ROWS), metavar="ROW,…", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (7; quick: 2)")
    parser.add_argument("--seconds", type=int, help="of each measurement of the wire (2; quick: 1)")
    parser.add_argument("--connections", type=int, default=32, help="of wrk (32)")
    parser.add_argument(
        "--peers", action="store_true", help="also the mock servers that make bench-peers has installed"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "bench.json", metavar="FILE", help="(bench.json)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--precision", action="store_true", help="instead: a latency's precision, and hanging calls")
    instead.add_argument("--plugin", action="store_true", help="instead: what the pytest plugin costs")
    instead.add_argument("--sweep", action="store_true", help="instead: what a sweep adds to what it runs")
    asked = parser.parse_args()
    asked.rounds = asked.rounds if asked.rounds is not None else 2 if asked.quick else 7
    asked.seconds = asked.seconds if asked.seconds is not None else 1 if asked.quick else 2
    return asked


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
