"""Rows of the wire: how many calls a second, and how slow the slowest are, as a share of what a bare app does.

The mock runs in the world of world.yaml (journal on, ten rules that never fire); bare.py, and every peer, answers the
same bytes. All servers are pinned to one core, wrk to another. The rounds of all alternate, so that a noisy host hits
them alike: compare the ratios, not the absolute numbers.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import peers
from tests.bench.plan import Plan
from tests.bench.results import OURS, Goal, Result, compared
from tests.bench.stage import HERE, Failure, Mock, Round, Wrk, mock_command, pinned, running, wrk_path

BARE = "bare uvicorn"
WORK = {"list": "list of 20", "get": "get one", "create": "create", "named": "create, each with another name"}
GOALS = {"list": 1.5, "get": 1.5, "create": 0.75}
SLOWEST = Goal("ratio", "≤", 3)


@dataclass
class Side:
    """One of the servers that are compared."""

    name: str
    url: str
    peer: peers.Peer | None = None
    started: peers.Started | None = None

    def measure(self, wrk: Wrk, kind: str, instance: str, seconds: int) -> Round:
        """Load it for so many seconds."""
        with self._running() as url:
            address = url + (peers.path(kind, instance) if self.peer is None else self.peer.path(kind, instance))
            load = {"create": wrk.create, "named": wrk.create_named}.get(kind, wrk.get)
            return load(address, seconds)

    def _running(self) -> AbstractContextManager[str]:
        """Its URL. A peer that keeps what is created is started for each measurement."""
        return nullcontext(self.url) if self.started is None else self.started.running()


def measure(plan: Plan, kinds: Sequence[str]) -> Iterator[Result]:
    """Measure all these kinds of calls."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        ready = stack.enter_context(running(mock_command(plan.server_core), OURS))
        mock = Mock(ready["url"], ready["api_key"])
        captured = mock.fresh()
        answers = mock.answers(captured)
        (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
        bare = pinned(plan.server_core, sys.executable, HERE / "bare.py", folder / "answers.json")
        sides = [Side(OURS, mock.url), Side(BARE, stack.enter_context(running(bare, BARE))["url"])]
        for peer in plan.peers:
            started = peers.Started(peer, folder, answers, captured, plan.server_core)
            if peer.keeps_creates:
                sides.append(Side(peer.name, "", peer, started))
            else:
                sides.append(Side(peer.name, stack.enter_context(started.running()), peer))
        wrk = Wrk(wrk_path(), plan.load_core, plan.connections, mock.key)
        rounds = _rounds(plan, mock, wrk, sides, kinds, captured)
    for kind in kinds:
        yield from _results(kind, [each.name for each in sides if each.name != BARE], rounds[kind])


def _rounds(
    plan: Plan, mock: Mock, wrk: Wrk, sides: Sequence[Side], kinds: Sequence[str], captured: str
) -> dict[str, dict[str, list[Round]]]:
    """What each round found, by kind and by the side's name. The order of the sides turns from round to round."""
    found: dict[str, dict[str, list[Round]]] = {kind: defaultdict(list) for kind in kinds}
    for number in range(-1, plan.rounds):  # round -1 warms up
        for kind in kinds if number >= 0 else kinds[:1]:
            instance = mock.fresh()
            turn = (number + 1) % len(sides)
            for side in (*sides[turn:], *sides[:turn]):
                if side.peer and kind == "named":
                    continue  # whatever the body says is the same to it
                own = captured if side.peer else instance
                try:
                    measured = side.measure(wrk, kind, own, plan.seconds if number >= 0 else 1)
                except Failure as failure:
                    if side.peer is None:
                        raise
                    plan.say(f"{side.name}: {failure}")
                    continue
                if number >= 0:
                    found[kind][side.name].append(measured)
            mock.fresh()  # drops what the creates made
        plan.say(f"{', '.join(kinds)}: round {number + 1} of {plan.rounds}" if number >= 0 else "warmed up")
    return found


def _results(kind: str, names: Sequence[str], rounds: dict[str, list[Round]]) -> Iterator[Result]:
    """The results of those that have been measured in every round."""
    bare = rounds[BARE]
    for name in names:
        own = rounds.get(name, [])
        if len(own) != len(bare):
            continue
        yield Result(
            row=kind,
            work=WORK[kind],
            by=name,
            unit="calls/s",
            beside=BARE,
            more_is_better=True,
            goal=Goal("ratio", "≥", GOALS[kind]) if name == OURS and kind in GOALS else None,
            **compared([each.rate for each in own], [each.rate for each in bare]),
        )
        yield Result(
            row=kind,
            work=f"{WORK[kind]}, p99",
            by=name,
            unit="ms",
            beside=BARE,
            goal=SLOWEST if kind == "create" and name == OURS else None,
            **compared([each.p99_ms for each in own], [each.p99_ms for each in bare]),
        )
