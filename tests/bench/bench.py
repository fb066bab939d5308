"""`make bench`: how many requests a second the mock answers, as a share of what a bare ASGI app answers.

The mock runs in the world of world.yaml (journal on, ten rules that never fire); bare.py answers the same bytes. Both
are pinned to one core, wrk to another. Rounds alternate, so that a noisy host hits both alike: compare the ratios
(medians of the rounds' own ratios), not the absolute numbers.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

import plugin
import precision
import sweep
from stage import HERE, Failure, Mock, Round, Wrk, machine, mock_command, pinned, running, two_cores, wrk_path

KINDS = ("list", "get", "create")


@dataclass
class Results:
    mock: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)

    def row(self) -> str:
        ratio = median(mock.rate / bare.rate for mock, bare in zip(self.mock, self.bare, strict=True))
        rates = [median(r.rate for r in rounds) for rounds in (self.mock, self.bare)]
        tails = [median(r.p99_ms for r in rounds) for rounds in (self.mock, self.bare)]
        return f"{rates[0]:>10,.0f}{rates[1]:>10,.0f}{ratio:>8.2f}{tails[0]:>14.1f}{tails[1]:>10.1f}"


def bench(mock: Mock, bare_url: str, wrk: Wrk, rounds: int, seconds: int) -> dict[str, Results]:
    results = {kind: Results() for kind in KINDS}
    for number in range(-1, rounds):  # round -1 warms up
        for kind in KINDS:
            instance = mock.fresh()
            sides = [("mock", mock.url), ("bare", bare_url)]
            for side, url in sides if number % 2 else reversed(sides):
                measured = wrk.measure(kind, url, instance, seconds if number >= 0 else 1)
                if number >= 0:
                    getattr(results[kind], side).append(measured)
        mock.fresh()  # drop what the creates made
        print(f"\rround {number + 1} of {rounds}" if number >= 0 else "warmed up", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Requests a second, beside a bare ASGI app.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument(
        "--precision", action="store_true", help="measure a latency's precision and hanging calls instead"
    )
    parser.add_argument("--plugin", action="store_true", help="measure what the pytest plugin costs instead")
    parser.add_argument("--sweep", action="store_true", help="measure what a sweep adds to what it runs instead")
    asked = parser.parse_args()
    if min(asked.rounds, asked.seconds, asked.connections) < 1:
        raise Failure("--rounds, --seconds and --connections are 1 or more")

    if asked.precision:
        precision.measure(asked.rounds, asked.seconds)
        return
    if asked.plugin:
        plugin.measure(asked.rounds)
        return
    if asked.sweep:
        sweep.measure(asked.rounds)
        return
    server_core, load_core = two_cores()
    with ExitStack() as stack:
        ready = stack.enter_context(running(mock_command(server_core), "cnx-mock"))
        mock = Mock(ready["url"], ready["api_key"])
        captured = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".json"))
        json.dump(mock.answers(mock.fresh()), captured)
        captured.flush()
        bare = stack.enter_context(
            running(pinned(server_core, sys.executable, HERE / "bare.py", captured.name), "bare")
        )
        wrk = Wrk(wrk_path(), load_core, asked.connections, mock.key)
        print(machine(server_core, load_core))
        print(f"{asked.rounds} rounds of {asked.seconds} s, {asked.connections} connections, medians")
        results = bench(mock, bare["url"], wrk, asked.rounds, asked.seconds)
    print(f"{'':8}{'mock/s':>10}{'bare/s':>10}{'ratio':>8}{'p99 ms: mock':>14}{'bare':>10}")
    for kind in KINDS:
        print(f"{kind:8}{results[kind].row()}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
