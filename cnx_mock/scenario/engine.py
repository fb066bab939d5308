"""The engine: asks every rule about a request, once, and wraps the chosen faults around the rest of its stages.

The order is fixed, and every journal entry shows it: match, when, times (the ordinal counts requests that passed both),
probability (a keyed draw), at, fault. Rules are asked in this order: the request's own header, magic names, injected
rules by arrival, the scenario's from top to bottom. The first rule that fires with an outcome wins; the shapers of
rules before it apply, those of rules after it do not. Every rule that matches takes its ordinal even after a winner, so
that no rule changes another's draws.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import replace
from functools import cached_property, partial

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.scenario import header, magic
from cnx_mock.scenario.active_rule import ActiveRule, Decision, Origin, copies
from cnx_mock.scenario.candidates import CandidateIndex, Candidates, covering, matching
from cnx_mock.scenario.exchange import Exchange, FaultEffects
from cnx_mock.scenario.fault import Turn
from cnx_mock.scenario.lasting_effects import LastingEffects
from cnx_mock.scenario.phases import Moment, Timeline
from cnx_mock.scenario.request import ApiRequest, RequestHeaders, RequestTarget
from cnx_mock.scenario.rule import Step
from cnx_mock.scenario.ruling import Chosen, Ruling
from cnx_mock.scenario.scenario import Rule, Scenario
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import NEVER
from cnx_mock.world.records import KeyRecord

_MOST_REMEMBERED = 1000
"""The most entries of a table whose keys the client chooses, so that it cannot fill the memory."""

Rest = Callable[[], Awaitable[None]]


class Engine:
    """The rules of one sandbox, and the state of its story."""

    def __init__(
        self,
        chance: Chance,
        scenario: Scenario,
        now: Callable[[], int],
        operations: Collection[Operation] = (),
        magic_names: Callable[[], Collection[Rule]] = tuple,
        most_rules: int = 1000,
    ) -> None:
        """`now` reads the sandbox's clock. `operations` are those that a request's own header may match; `magic_names`
        returns rules that are always active, and is called for the first body that names one. The most other rules that
        there may be."""
        self._chance = chance
        self._now = now
        self._operations = operations
        self._most_rules = most_rules
        self._magic_names = magic_names
        self._injected: list[ActiveRule] = []
        self.observer: Callable[[], None] | None = None
        """Called when a phase of its story begins; None if nobody follows it."""
        self.caller_of: Callable[[ApiRequest], str | None] | None = None
        """Returns who made a request, for rules to count each caller's alone; None if callers are not distinguished."""
        self._ended: dict[str, ActiveRule] = {}
        """Rules whose ttl is over, by id: their counts can still be read."""
        self._brought: dict[str, ActiveRule] = {}
        """Rules from fault headers, by the header's text: a repeated header continues the counts."""
        self.lasting = LastingEffects()
        """Effects that faults have started and that last."""
        self.use(scenario)

    def __iter__(self) -> Iterator[ActiveRule]:
        self._settle(self._now())
        return iter(self._in_order)

    @cached_property
    def _magic(self) -> list[ActiveRule]:
        """The rules of magic names. They are read late: most servers meet no such name, and reading rules is slow."""
        return [ActiveRule(rule, "magic") for rule in self._magic_names()]

    def rules(self, origin: Origin) -> tuple[Rule, ...]:
        """Return the rules of one origin: injected, or the scenario's."""
        return tuple(active.rule for active in self if active.origin == origin)

    def use(self, scenario: Scenario) -> None:
        """Replace the scenario and its rules, and begin its story; injected rules stay. Raises ScenarioError as
        `must_allow` does."""
        self.must_allow(scenario)
        now = self._now()
        self.scenario = scenario
        self._story = Timeline(scenario.phases, scenario.repeat, now, self._phase_begins)
        self._scenario_rules = [_active(rule, "scenario", now) for rule in scenario.rules]
        self._brought.clear()
        self._changed()

    def must_allow(self, scenario: Scenario) -> None:
        """Raise ScenarioError if an injected rule has the id of one of this scenario's, or if there would be too many
        rules."""
        taken = {rule.id for rule in scenario.rules}
        for active in self._injected:
            _must_be_free(active.rule.id, taken)
        must_hold(len(scenario.rules) + len(self._injected), self._most_rules)

    def revise(self, scenario: Scenario) -> None:
        """Go on with another version of the scenario. Unchanged rules keep their counters. The current phase continues,
        unless the phases have changed. Raises ScenarioError as `must_allow` does."""
        self.must_allow(scenario)
        now = self._now()
        before = {active.rule.id: active for active in self._scenario_rules}
        rules = []
        for rule in scenario.rules:
            old = before.get(rule.id)
            rules.append(old if old and old.rule.document == rule.document else _active(rule, "scenario", now))
        if (scenario.phases, scenario.repeat) != (self.scenario.phases, self.scenario.repeat):
            self._story = Timeline(scenario.phases, scenario.repeat, now, self._phase_begins)
        self.scenario, self._scenario_rules = scenario, rules
        self._changed()

    def resume(self, other: "Engine") -> None:
        """Continue from the state of another engine: with its scenario, its phase, and its rules with their counts."""
        self._chance, self.scenario = other._chance, other.scenario
        self._story = other._story.copy(self._phase_begins)
        self._injected, self._scenario_rules = copies(other._injected), copies(other._scenario_rules)
        self._ended = {name: each.copy() for name, each in other._ended.items()}
        self._brought = {text: each.copy() for text, each in other._brought.items()}
        if "_magic" in vars(other):  # they were read
            self._magic = copies(other._magic)
        self._changed()

    def moment(self) -> tuple[Moment, int]:
        """Return the present moment of the story, and the instant at which its phase began."""
        return self._story.at(self._now()), self._story.since

    def progress(self) -> tuple[int, int]:
        """Return the place of the present phase, from 0, and how many requests it has had."""
        self._story.at(self._now())
        return self._story.index, self._story.requests

    def enter_phase(self, name: str) -> None:
        """Begin the phase with this name now. The clock stays. Raises KeyError if there is none."""
        self._story.enter(name, self._now())

    @property
    def has_phases(self) -> bool:
        """Whether its story has phases."""
        return self._story.has_phases

    def version(self) -> object:
        """Return an object that is another one whenever the active rules, or their ends, have changed."""
        self._settle(self._now())
        return self.undecided

    def next_change(self) -> int:
        """Return the next instant at which a phase or a rule ends by its time, or NEVER."""
        return min(self._next_end, self._story.next_change(self._now()))

    def shift(self, by: int) -> None:
        """Follow the sandbox's clock to one that is `by` microseconds ahead. The story's age and the rest of every ttl
        stay."""
        self._story.shift(by)
        for active in (*self._injected, *self._scenario_rules, *self._brought.values()):
            active.ends = None if active.ends is None else active.ends + by
        self._changed()

    def find(self, rule_id: str) -> ActiveRule | None:
        """Return the rule with this id, None if there is none."""
        return next((active for active in self if active.rule.id == rule_id), None)

    def find_ended(self, rule_id: str) -> ActiveRule | None:
        """Return the last rule with this id whose ttl is over, None if there is none."""
        self._settle(self._now())
        return self._ended.get(rule_id)

    def inject(self, rule: Rule) -> bool:
        """Add a rule after the other injected ones, or replace the one with its id, with counters at zero. Return
        whether it replaced one. If it has a ttl, the replaced rule comes back at its end. Raises ScenarioError if the
        scenario has a rule with its id, or if there would be too many rules."""
        before = self.find(rule.id)
        if before is None or before.origin == "scenario":
            _must_be_free(rule.id, {each.id for each in self.scenario.rules})
            must_hold(len(self._in_order) + 1, self._most_rules)
        self._ended.pop(rule.id, None)
        active = _active(rule, "injected", self._now())
        if before is None:
            self._injected.append(active)
        else:
            active.replaced = before if rule.ttl is not None else None
            self._injected[self._injected.index(before)] = active
        self._changed()
        return before is not None

    def change(self, active: ActiveRule, rule: Rule, for_now: bool = False) -> None:
        """Change a rule from now on, or, with `for_now`, until its new ttl ends. Its counters stay."""
        if for_now and rule.ttl is not None:
            active.former_rule = active.former_rule or (active.rule, active.ends)
            active.ends = self._now() + rule.ttl
        active.rule = rule
        self._changed()

    def remove(self, active: ActiveRule) -> None:
        """Remove one rule, injected or the scenario's."""
        self._injected = [each for each in self._injected if each is not active]
        self._scenario_rules = [each for each in self._scenario_rules if each is not active]
        self._changed()

    def clear(self) -> None:
        """Remove every injected rule; the scenario's own stay."""
        self._injected = []
        self._changed()

    def refusal(self, key: KeyRecord, now: int) -> tuple[str, str] | None:
        """Return why a call that arrives now with this key is refused, as `LastingEffects.refusal` does."""
        self._settle(now)
        return self.lasting.refusal(key, now)

    def _phase_begins(self) -> None:
        if self.observer is not None:
            self.observer()

    def _changed(self) -> None:
        self._in_order = (*self._injected, *self._scenario_rules)
        self.lasting.keep({*self._in_order, *self._brought.values()})
        self.undecided = Ruling(tuple((active, active.rule) for active in self._in_order))
        self._candidates = CandidateIndex(self._in_order)
        self._next_end = min((active.ends for active in self._in_order if active.ends is not None), default=NEVER)

    def _settle(self, now: int) -> None:
        """Remove or restore the rules whose ttl is over."""
        while now >= self._next_end:
            before = self._in_order
            self._injected = [each for active in self._injected for each in active.remains(now)]
            self._scenario_rules = [each for active in self._scenario_rules for each in active.remains(now)]
            self._changed()
            for active in before:
                if active not in self._in_order:
                    self._ended[active.rule.id] = active
            while len(self._ended) > _MOST_REMEMBERED:
                del self._ended[next(iter(self._ended))]

    def _brought_by(self, request: ApiRequest) -> tuple[ActiveRule, ...]:
        """Return the rules that a request brings with it: in its header, and by its magic names. Raises ScenarioError
        for a header that cannot be used."""
        brought: tuple[ActiveRule, ...] = ()
        given = request.sent.values(header.NAME)
        if given:
            active = self._brought.get(given[0])
            if active is None or len(given) > 1:
                active = _active(header.rule(given, self._operations, self.scenario.phases), "header", self._now())
                active.key = f"header {given[0]}"
                if len(self._brought) >= _MOST_REMEMBERED:
                    self._brought.clear()
                self._brought[given[0]] = active
            brought = (active,) if active.ends is None or self._now() < active.ends else ()
        if magic.MARK in request.body:
            brought += tuple(active for active in self._magic if active.rule.match.difference(request) is None)
        return brought

    def in_force(self, now: int) -> Ruling:
        """Return a ruling that names the active rules and has no decisions. It is shared: do not change it."""
        self._settle(now)
        return self.undecided

    def candidates(self, target: RequestTarget, sent: RequestHeaders, now: int) -> Candidates | None:
        """Return the rules that can match a call for this target. If its body has no magic name, and no rule
        matches, then `ask` only returns `undecided`. Return None if `ask` has more to do: for a rule that the call
        brings with it, a rule that ends, a phase that counts calls, or an earlier fault that lasts."""
        if now >= self._next_end or sent.has_faults or self._story.has_phases or self.lasting.effects:
            return None
        return self._candidates.of(target)

    def ask(self, request: ApiRequest, now: int) -> Ruling:
        """Ask every rule about this request, once. Raises ScenarioError for a fault header that cannot be used."""
        if now >= self._next_end:
            self._settle(now)
        ruling, target = self.undecided, request.target
        candidates = self._candidates.of(target)
        if request.sent.has_faults or request.body.find(magic.MARK) >= 0:
            brought = self._brought_by(request)
            if brought:
                ruling = Ruling((*((active, active.rule) for active in brought), *ruling.asked))
                candidates = (*covering(brought, target), *candidates)
        if candidates:
            ruling = self._decided(ruling, request, candidates, now)
        if self._story.has_phases:
            self._story.count(now)
        return ruling

    def _decided(self, undecided: Ruling, request: ApiRequest, candidates: Candidates, now: int) -> Ruling:
        """Return what the rules decide; the same ruling if none of them matches, as for most requests."""
        matched = matching(candidates, request)
        if not matched:
            return undecided
        ruling, moment = Ruling(undecided.asked), self._story.at(now)
        winner, caller = None, self.caller_of(request) if self.caller_of else None
        for active in matched:
            decision, step, draw = active.decide(moment, request.resource, winner, self._chance, caller)
            decision, step = _applicable(decision, step, request)
            ruling.decisions[active] = decision
            ruling.chosen += [Chosen(active, active.rule, fault, draw, self.lasting.add) for fault in step]
            if any(fault.outcome for fault in step):
                winner = active.rule.id
        return ruling

    @staticmethod
    async def perform(ruling: Ruling, exchange: Exchange, rest: Rest) -> None:
        """Send the exchange through the chosen faults. `rest` performs the operation and leaves its answer."""
        exchange.effects = FaultEffects()
        proceed = rest
        for each in reversed(ruling.chosen):
            turn = Turn(
                at=each.rule.at,
                draw=each.draw,
                proceed=proceed,
                fired=partial(ruling.fired, each.active, each.fault),
                spared=partial(ruling.spared, each.active),
                rule=each.rule.id,
                lasts=partial(each.lasts, each.active, each.fault),
            )
            proceed = partial(each.fault.apply, exchange, turn)
        await proceed()


def _active(rule: Rule, origin: Origin, now: int) -> ActiveRule:
    return ActiveRule(rule, origin, ends=None if rule.ttl is None else now + rule.ttl)


def _applicable(decision: Decision, step: Step, request: ApiRequest) -> tuple[Decision, Step]:
    """Leave out the faults that cannot have an effect on such a call. The decision then says why. A rule without any
    fault left does not fire."""
    left = tuple(fault for fault in step if fault.applies(request.operation, request.method))
    if len(left) == len(step):
        return decision, step
    why = dict.fromkeys(fault.idle for fault in step if fault not in left)
    return replace(decision, fired=bool(left), reason=", ".join([decision.reason, *why])), left


def _must_be_free(rule_id: str, taken: Collection[str]) -> None:
    if rule_id in taken:
        raise ScenarioError([Problem(("id",), f"the scenario has a rule with the id '{rule_id}'")])


def must_hold(rules: int, most: int) -> None:
    """Raise ScenarioError if there are more rules than a sandbox may have."""
    if rules > most:
        message = f"{rules:,} rules are too many: a sandbox has at most {most:,} (--max-rules)"
        raise ScenarioError([Problem(("rules",), message)])
