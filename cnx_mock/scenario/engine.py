"""The engine: asks every rule about a request, once, and has the faults that fire wrapped around the rest of its way.

The order is fixed, and every journal entry shows it: match, when, times (the ordinal counts requests that passed both),
probability (a keyed draw), at, fault. Rules are asked in this order: the request's own header, magic names, injected
rules by arrival, the scenario's from top to bottom. The first rule that fires with an outcome wins; the shapers of
rules before it apply, those of rules behind it do not. Every rule that matches takes its ordinal even behind a winner,
so that no rule changes another's draws.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.scenario import header, magic
from cnx_mock.scenario.active_rule import Armed, Decision, Draw, Origin
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.phases import Moment, Timeline
from cnx_mock.scenario.scenario import Rule, Scenario
from cnx_mock.world.chance import Chance
from cnx_mock.world.records import NEVER

_KEPT = 1000
"""Entries of what is kept by words of the client's, so that it cannot fill the memory."""

Way = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A fault to apply to one request."""

    armed: Armed
    rule: Rule
    fault: Fault
    draw: Draw


class Engine:
    """The rules of one sandbox, and how far its story is."""

    def __init__(
        self,
        chance: Chance,
        scenario: Scenario,
        now: Callable[[], int],
        operations: Collection[Operation] = (),
        magic_names: Collection[Rule] = (),
    ) -> None:
        """`now` is the sandbox's clock; `operations` are those that a request's own header may match; `magic_names` are
        rules that are always there."""
        self._chance = chance
        self._now = now
        self._operations = operations
        self._magic = [Armed(rule, "magic") for rule in magic_names]
        self._injected: list[Armed] = []
        self._brought: dict[str, Armed] = {}
        """Rules that came in headers, by the header: one that is sent again goes on counting."""
        self.use(scenario)

    def __iter__(self) -> Iterator[Armed]:
        self._settle(self._now())
        return iter(self._asked)

    def rules(self, origin: Origin) -> tuple[Rule, ...]:
        """The rules of one origin: injected, or the scenario's."""
        return tuple(armed.rule for armed in self if armed.origin == origin)

    def use(self, scenario: Scenario) -> None:
        """Replace the scenario and its rules, and begin its story; injected rules stay."""
        self.must_allow(scenario)
        now = self._now()
        self.scenario = scenario
        self._story = Timeline(scenario.phases, scenario.repeat, now)
        self._scenario_rules = [_armed(rule, "scenario", now) for rule in scenario.rules]
        self._brought.clear()
        self._changed()

    def must_allow(self, scenario: Scenario) -> None:
        """Raise ScenarioError where an injected rule has the id of one of the scenario's."""
        for armed in self._injected:
            _unclaimed(armed.rule.id, scenario.rules)

    def revise(self, scenario: Scenario) -> None:
        """Go on with another version of the scenario: rules that say what they said keep their counters, and the story
        goes on where it was unless its phases are others."""
        self.must_allow(scenario)
        now = self._now()
        before = {armed.rule.id: armed for armed in self._scenario_rules}
        rules = []
        for rule in scenario.rules:
            old = before.get(rule.id)
            rules.append(old if old and old.rule.document == rule.document else _armed(rule, "scenario", now))
        if (scenario.phases, scenario.repeat) != (self.scenario.phases, self.scenario.repeat):
            self._story = Timeline(scenario.phases, scenario.repeat, now)
        self.scenario, self._scenario_rules = scenario, rules
        self._changed()

    def moment(self) -> tuple[Moment, int]:
        """Where the story is, and the instant at which its phase began."""
        return self._story.at(self._now()), self._story.since

    def shift(self, by: int) -> None:
        """The sandbox's clock is another one, so far ahead: the story's age, and what is left of every ttl, stay."""
        self._story.shift(by)
        for armed in (*self._injected, *self._scenario_rules, *self._brought.values()):
            armed.ends = None if armed.ends is None else armed.ends + by
        self._changed()

    def find(self, rule_id: str) -> Armed | None:
        """The rule with this id."""
        return next((armed for armed in self if armed.rule.id == rule_id), None)

    def inject(self, rule: Rule) -> bool:
        """Add a rule behind the other injected ones, or replace the one with its id, counters at zero: then True. One
        with a ttl gives its place back to the one that it replaced."""
        _unclaimed(rule.id, self.scenario.rules)
        before = self.find(rule.id)
        armed = _armed(rule, "injected", self._now())
        if before is None:
            self._injected.append(armed)
        else:
            armed.former = before if rule.ttl is not None else None
            self._injected[self._injected.index(before)] = armed
        self._changed()
        return before is not None

    def change(self, armed: Armed, rule: Rule, for_now: bool = False) -> None:
        """Let a rule say something else from now on, or until its new ttl is over; its counters stay."""
        if for_now and rule.ttl is not None:
            armed.kept = armed.kept or (armed.rule, armed.ends)
            armed.ends = self._now() + rule.ttl
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
        self._covering: dict[tuple[str | None, str], tuple[Armed, ...]] = {}
        self._next_end = min((armed.ends for armed in self._asked if armed.ends is not None), default=NEVER)

    def _settle(self, now: int) -> None:
        """End what ends by itself."""
        while now >= self._next_end:
            self._injected = [each for armed in self._injected for each in _left(armed, now)]
            self._scenario_rules = [each for armed in self._scenario_rules for each in _left(armed, now)]
            self._changed()

    def _candidates(self, operation: str | None, method: str) -> tuple[Armed, ...]:
        """The rules that can mean such a call at all: most requests are done with them at one look."""
        found = self._covering.get((operation, method))
        if found is None:
            if len(self._covering) > _KEPT:  # methods are the client's words
                self._covering.clear()
            found = tuple(armed for armed in self._asked if armed.rule.match.covers(operation, method))
            self._covering[operation, method] = found
        return found

    def _own(self, exchange: Exchange) -> tuple[Armed, ...]:
        """The rules that a request brings along: in its header, and by its magic names. Raises ScenarioError for a
        header that cannot be used."""
        own: tuple[Armed, ...] = ()
        given = exchange.header_values(header.NAME)
        if given:
            armed = self._brought.get(given[0])
            if armed is None or len(given) > 1:
                armed = _armed(header.rule(given, self._operations, self.scenario.phases), "header", self._now())
                armed.key = f"header {given[0]}"
                if len(self._brought) >= _KEPT:
                    self._brought.clear()
                self._brought[given[0]] = armed
            own = (armed,) if armed.ends is None or self._now() < armed.ends else ()
        if self._magic and magic.MARK in exchange.body:
            own += tuple(armed for armed in self._magic if armed.rule.match.difference(exchange) is None)
        return own

    def ask(self, exchange: Exchange) -> list[Chosen] | None:
        """Every fault to apply to this request, outermost first; None where there is none. Raises ScenarioError for a
        fault header that cannot be used."""
        now = self._now() if exchange.at is None else exchange.at
        self._settle(now)
        exchange.asked = self._as_asked
        operation = exchange.operation.name if exchange.operation else None
        candidates = self._candidates(operation, exchange.method)
        own = self._own(exchange)
        if own:
            exchange.asked = (*((armed, armed.rule) for armed in own), *self._as_asked)
            meant = (armed for armed in own if armed.rule.match.covers(operation, exchange.method))
            candidates = (*meant, *candidates)
        chosen = self._decide(exchange, candidates, self._story.at(now)) if candidates else []
        self._story.count(now)
        return chosen or None

    def _decide(self, exchange: Exchange, candidates: tuple[Armed, ...], moment: Moment) -> list[Chosen]:
        chosen: list[Chosen] = []
        winner: str | None = None
        for armed in candidates:
            if armed.rule.match.difference_of_call(exchange) is not None:
                continue
            decision, step, draw = armed.decide(moment, exchange.resource, winner, self._chance)
            exchange.decisions[armed] = decision
            chosen += [Chosen(armed, armed.rule, fault, draw) for fault in step]
            if any(fault.outcome for fault in step):
                winner = armed.rule.id
        return chosen

    @staticmethod
    async def perform(chosen: list[Chosen], exchange: Exchange, rest: Way) -> None:
        """Send the exchange through its faults; `rest` performs the operation and leaves its answer."""
        way = rest
        for each in reversed(chosen):
            turn = Turn(
                at=each.rule.at,
                draw=each.draw,
                proceed=way,
                fired=partial(_fired, exchange, each.armed, each.fault),
                spared=partial(_spared, exchange, each.armed),
            )
            way = partial(each.fault.apply, exchange, turn)
        await way()


def _armed(rule: Rule, origin: Origin, now: int) -> Armed:
    return Armed(rule, origin, ends=None if rule.ttl is None else now + rule.ttl)


def _left(armed: Armed, now: int) -> list[Armed]:
    """What is left of a rule at an instant: itself, what it said before, what it stands in for, nothing."""
    while armed.ends is not None and now >= armed.ends:
        if armed.kept is not None:
            (armed.rule, armed.ends), armed.kept = armed.kept, None
        elif armed.former is not None:
            armed = armed.former
        else:
            return []
    return [armed]


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
        raise ScenarioError([Problem(("id",), f"the scenario has a rule with the id '{rule_id}'")])
