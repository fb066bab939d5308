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
from cnx_mock.scenario.active_rule import ActiveRule, Decision, Draw, Origin
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

    active: ActiveRule
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
        self._magic = [ActiveRule(rule, "magic") for rule in magic_names]
        self._injected: list[ActiveRule] = []
        self._brought: dict[str, ActiveRule] = {}
        """Rules that came in headers, by the header: one that is sent again goes on counting."""
        self.use(scenario)

    def __iter__(self) -> Iterator[ActiveRule]:
        self._settle(self._now())
        return iter(self._asked)

    def rules(self, origin: Origin) -> tuple[Rule, ...]:
        """The rules of one origin: injected, or the scenario's."""
        return tuple(active.rule for active in self if active.origin == origin)

    def use(self, scenario: Scenario) -> None:
        """Replace the scenario and its rules, and begin its story; injected rules stay."""
        self.must_allow(scenario)
        now = self._now()
        self.scenario = scenario
        self._story = Timeline(scenario.phases, scenario.repeat, now)
        self._scenario_rules = [_active(rule, "scenario", now) for rule in scenario.rules]
        self._brought.clear()
        self._changed()

    def must_allow(self, scenario: Scenario) -> None:
        """Raise ScenarioError where an injected rule has the id of one of the scenario's."""
        for active in self._injected:
            _unclaimed(active.rule.id, scenario.rules)

    def revise(self, scenario: Scenario) -> None:
        """Go on with another version of the scenario: rules that say what they said keep their counters, and the story
        goes on where it was unless its phases are others."""
        self.must_allow(scenario)
        now = self._now()
        before = {active.rule.id: active for active in self._scenario_rules}
        rules = []
        for rule in scenario.rules:
            old = before.get(rule.id)
            rules.append(old if old and old.rule.document == rule.document else _active(rule, "scenario", now))
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
        for active in (*self._injected, *self._scenario_rules, *self._brought.values()):
            active.ends = None if active.ends is None else active.ends + by
        self._changed()

    def find(self, rule_id: str) -> ActiveRule | None:
        """The rule with this id."""
        return next((active for active in self if active.rule.id == rule_id), None)

    def inject(self, rule: Rule) -> bool:
        """Add a rule behind the other injected ones, or replace the one with its id, counters at zero: then True. One
        with a ttl gives its place back to the one that it replaced."""
        _unclaimed(rule.id, self.scenario.rules)
        before = self.find(rule.id)
        active = _active(rule, "injected", self._now())
        if before is None:
            self._injected.append(active)
        else:
            active.former = before if rule.ttl is not None else None
            self._injected[self._injected.index(before)] = active
        self._changed()
        return before is not None

    def change(self, active: ActiveRule, rule: Rule, for_now: bool = False) -> None:
        """Let a rule say something else from now on, or until its new ttl is over; its counters stay."""
        if for_now and rule.ttl is not None:
            active.kept = active.kept or (active.rule, active.ends)
            active.ends = self._now() + rule.ttl
        active.rule = rule
        self._changed()

    def remove(self, active: ActiveRule) -> None:
        """Take one rule out, wherever it came from."""
        self._injected = [each for each in self._injected if each is not active]
        self._scenario_rules = [each for each in self._scenario_rules if each is not active]
        self._changed()

    def clear(self) -> None:
        """Take every injected rule out; the scenario's own stay."""
        self._injected = []
        self._changed()

    def _changed(self) -> None:
        self._asked = (*self._injected, *self._scenario_rules)
        self._as_asked = tuple((active, active.rule) for active in self._asked)
        self._covering: dict[tuple[str | None, str], tuple[ActiveRule, ...]] = {}
        self._next_end = min((active.ends for active in self._asked if active.ends is not None), default=NEVER)

    def _settle(self, now: int) -> None:
        """End what ends by itself."""
        while now >= self._next_end:
            self._injected = [each for active in self._injected for each in _left(active, now)]
            self._scenario_rules = [each for active in self._scenario_rules for each in _left(active, now)]
            self._changed()

    def _candidates(self, operation: str | None, method: str) -> tuple[ActiveRule, ...]:
        """The rules that can mean such a call at all: most requests are done with them at one look."""
        found = self._covering.get((operation, method))
        if found is None:
            if len(self._covering) > _KEPT:  # methods are the client's words
                self._covering.clear()
            found = tuple(active for active in self._asked if active.rule.match.covers(operation, method))
            self._covering[operation, method] = found
        return found

    def _own(self, exchange: Exchange) -> tuple[ActiveRule, ...]:
        """The rules that a request brings along: in its header, and by its magic names. Raises ScenarioError for a
        header that cannot be used."""
        own: tuple[ActiveRule, ...] = ()
        given = exchange.header_values(header.NAME)
        if given:
            active = self._brought.get(given[0])
            if active is None or len(given) > 1:
                active = _active(header.rule(given, self._operations, self.scenario.phases), "header", self._now())
                active.key = f"header {given[0]}"
                if len(self._brought) >= _KEPT:
                    self._brought.clear()
                self._brought[given[0]] = active
            own = (active,) if active.ends is None or self._now() < active.ends else ()
        if self._magic and magic.MARK in exchange.body:
            own += tuple(active for active in self._magic if active.rule.match.difference(exchange) is None)
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
            exchange.asked = (*((active, active.rule) for active in own), *self._as_asked)
            meant = (active for active in own if active.rule.match.covers(operation, exchange.method))
            candidates = (*meant, *candidates)
        chosen = self._decide(exchange, candidates, self._story.at(now)) if candidates else []
        self._story.count(now)
        return chosen or None

    def _decide(self, exchange: Exchange, candidates: tuple[ActiveRule, ...], moment: Moment) -> list[Chosen]:
        chosen: list[Chosen] = []
        winner: str | None = None
        for active in candidates:
            if active.rule.match.difference_of_call(exchange) is not None:
                continue
            decision, step, draw = active.decide(moment, exchange.resource, winner, self._chance)
            exchange.decisions[active] = decision
            chosen += [Chosen(active, active.rule, fault, draw) for fault in step]
            if any(fault.outcome for fault in step):
                winner = active.rule.id
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
                fired=partial(_fired, exchange, each.active, each.fault),
                spared=partial(_spared, exchange, each.active),
            )
            way = partial(each.fault.apply, exchange, turn)
        await way()


def _active(rule: Rule, origin: Origin, now: int) -> ActiveRule:
    return ActiveRule(rule, origin, ends=None if rule.ttl is None else now + rule.ttl)


def _left(active: ActiveRule, now: int) -> list[ActiveRule]:
    """What is left of a rule at an instant: itself, what it said before, what it stands in for, nothing."""
    while active.ends is not None and now >= active.ends:
        if active.kept is not None:
            (active.rule, active.ends), active.kept = active.kept, None
        elif active.former is not None:
            active = active.former
        else:
            return []
    return [active]


def _fired(exchange: Exchange, active: ActiveRule, fault: Fault) -> None:
    """A rule counts once an exchange, however many faults it has."""
    if all(rule != active.rule.id for rule, _ in exchange.faults):
        active.fired += 1
        exchange.decisions[active] = replace(exchange.decisions[active], fired=True)
    exchange.faults.append((active.rule.id, fault.label()))


def _spared(exchange: Exchange, active: ActiveRule, why: str) -> None:
    """A refusal goes out unchanged, whatever its rule had decided; the ordinal is spent."""
    applied = any(rule == active.rule.id for rule, _ in exchange.faults)  # another fault of the same rule
    exchange.decisions[active] = Decision(applied, f"{exchange.decisions[active].reason}, {why}")


def _unclaimed(rule_id: str, rules: tuple[Rule, ...]) -> None:
    if any(rule.id == rule_id for rule in rules):
        raise ScenarioError([Problem(("id",), f"the scenario has a rule with the id '{rule_id}'")])
