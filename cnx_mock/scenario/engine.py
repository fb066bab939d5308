"""The engine: asks every rule about a request, once, and has the faults that fire wrapped around the rest of its way.

The order is fixed, and every journal entry shows it: match, times (the ordinal counts requests that matched),
probability (a keyed draw), at, fault. The first rule that fires with an outcome wins; the shapers of rules before it
apply, those of rules behind it do not. Every rule that matches takes its ordinal even behind a winner, so that no rule
changes another's draws.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from cnx_mock.scenario.document import DocumentError, Rule, Scenario
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.text.findings import Problem
from cnx_mock.world.chance import Chance

_COVERING_KEPT = 1000

Step = Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Armed:
    """A rule in force, and what it has done so far."""

    rule: Rule
    injected: bool = False
    matched: int = 0
    fired: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule decided about one request that it matched, and why."""

    fired: bool
    reason: str


class Engine:
    """The rules of one sandbox."""

    def __init__(self, chance: Chance, scenario: Scenario) -> None:
        self._chance = chance
        self.scenario = scenario
        self._scenario_rules = [Armed(rule) for rule in scenario.rules]
        self._injected: list[Armed] = []
        self._asked: tuple[Armed, ...] = ()
        self._as_asked: tuple[tuple[Armed, Rule], ...] = ()
        self._covering: dict[tuple[str | None, str], tuple[Armed, ...]] = {}
        self._changed()

    def __iter__(self) -> Iterator[Armed]:
        return iter(self._asked)

    def rules(self, injected: bool) -> tuple[Rule, ...]:
        """The rules that were injected, or the scenario's."""
        return tuple(armed.rule for armed in self._asked if armed.injected is injected)

    def use(self, scenario: Scenario) -> None:
        """Replace the scenario and its rules; injected rules stay."""
        for armed in self._injected:
            _unclaimed(armed.rule.id, scenario.rules)
        self.scenario = scenario
        self._scenario_rules = [Armed(rule) for rule in scenario.rules]
        self._changed()

    def find(self, rule_id: str) -> Armed | None:
        """The rule with this id."""
        return next((armed for armed in self._asked if armed.rule.id == rule_id), None)

    def inject(self, rule: Rule) -> bool:
        """Add a rule behind the other injected ones, or replace the one with its id, counters at zero: then True."""
        _unclaimed(rule.id, self.scenario.rules)
        before = self.find(rule.id)
        if before is None:
            self._injected.append(Armed(rule, injected=True))
        else:
            self._injected[self._injected.index(before)] = Armed(rule, injected=True)
        self._changed()
        return before is not None

    def change(self, armed: Armed, rule: Rule) -> None:
        """Let a rule say something else from now on; its counters stay."""
        armed.rule = rule
        self._changed()

    def remove(self, armed: Armed) -> None:
        """Take one rule out, wherever it came from."""
        self._injected = [each for each in self._injected if each is not armed]
        self._scenario_rules = [each for each in self._scenario_rules if each is not armed]
        self._changed()

    def clear(self) -> None:
        """Take every injected rule out; the scenario's own stay."""
        self._injected = []
        self._changed()

    def _changed(self) -> None:
        self._asked = (*self._injected, *self._scenario_rules)
        self._as_asked = tuple((armed, armed.rule) for armed in self._asked)
        self._covering = {}

    def _candidates(self, operation: str | None, method: str) -> tuple[Armed, ...]:
        """The rules that can mean such a call at all: most requests are done with them at one look."""
        found = self._covering.get((operation, method))
        if found is None:
            if len(self._covering) > _COVERING_KEPT:  # methods are the client's words
                self._covering.clear()
            found = tuple(armed for armed in self._asked if armed.rule.match.covers(operation, method))
            self._covering[operation, method] = found
        return found

    def ask(self, exchange: Exchange) -> "list[tuple[Armed, Fault, int]] | None":
        """Every fault to apply to this request, outermost first, with its rule and ordinal; None where there is
        none."""
        exchange.asked = self._as_asked
        candidates = self._candidates(exchange.operation.name if exchange.operation else None, exchange.method)
        chosen: list[tuple[Armed, Fault, int]] = []
        winner: str | None = None
        for armed in candidates:
            rule = armed.rule
            if rule.match.difference_of_call(exchange) is not None:
                continue
            armed.matched += 1
            ordinal = armed.matched
            decision = self._decide(rule, ordinal, winner)
            exchange.decisions[armed] = decision
            if decision.fired:
                chosen += [(armed, fault, ordinal) for fault in _outcome_last(rule)]
                winner = rule.id if rule.wins else None
        return chosen or None

    def _decide(self, rule: Rule, ordinal: int, winner: str | None) -> Decision:
        if rule.times is not None and ordinal > rule.times:
            return Decision(False, f"times {ordinal} of {rule.times}")
        why = f"match {ordinal}" if rule.times is None else f"times {ordinal} of {rule.times}"
        if rule.probability < 1:
            draw = self._chance.fraction(rule.id, ordinal, "fire")
            if draw >= rule.probability:
                return Decision(False, _compared(draw, "≥", rule.probability))
            why += f", {_compared(draw, '<', rule.probability)}"
        if winner is not None:
            return Decision(False, f"behind {winner}")
        return Decision(True, why)

    async def perform(self, chosen: list[tuple[Armed, Fault, int]], exchange: Exchange, rest: Step) -> None:
        """Send the exchange through its faults; `rest` performs the operation and leaves its answer."""
        step = rest
        for armed, fault, ordinal in reversed(chosen):
            turn = Turn(
                at=armed.rule.at,
                draw=partial(self._chance.fraction, armed.rule.id, ordinal),
                proceed=step,
                fired=partial(_fired, exchange, armed, fault),
                spared=partial(_spared, exchange, armed),
            )
            step = partial(fault.apply, exchange, turn)
        await step()


def _compared(draw: float, sign: str, probability: float) -> str:
    """A draw as the journal shows it, with as many digits as it takes to see that the sign is right."""
    digits = next((n for n in range(2, 17) if f"{draw:.{n}f}" != f"{probability:.{n}f}"), 17)
    return f"draw {draw:.{digits}f} {sign} {probability:.{digits}f}"


def _outcome_last(rule: Rule) -> list[Fault]:
    """A rule's own shapers come around its outcome."""
    return sorted(rule.faults, key=lambda fault: fault.outcome)


def _fired(exchange: Exchange, armed: Armed, fault: Fault) -> None:
    """A rule counts once an exchange, however many faults it has."""
    if all(rule != armed.rule.id for rule, _ in exchange.faults):
        armed.fired += 1
        exchange.decisions[armed] = replace(exchange.decisions[armed], fired=True)
    exchange.faults.append((armed.rule.id, fault.label()))


def _spared(exchange: Exchange, armed: Armed, why: str) -> None:
    """A refusal goes out unchanged, whatever its rule had decided; the ordinal is spent."""
    applied = any(rule == armed.rule.id for rule, _ in exchange.faults)  # another fault of the same rule
    exchange.decisions[armed] = Decision(applied, f"{exchange.decisions[armed].reason}, {why}")


def _unclaimed(rule_id: str, rules: tuple[Rule, ...]) -> None:
    if any(rule.id == rule_id for rule in rules):
        raise DocumentError([Problem(("id",), f"the scenario has a rule with the id '{rule_id}'")])
