"""An active rule: its counters, and how it decides about the next request."""

from collections.abc import Callable, Iterable
from dataclasses import field, replace
from functools import partial
from typing import Literal

from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.phases import Moment
from cnx_mock.scenario.rule import Rule, Step
from cnx_mock.world.chance import Chance

Origin = Literal["header", "magic", "injected", "scenario"]

Draw = Callable[[str], float]
"""A keyed draw in [0, 1) for a purpose."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule decided about one request that it matched, and why."""

    fired: bool
    reason: str
    place: int = 1
    """The number of the rule's step that is taken, from 1."""


@dataclass(slots=True, eq=False)
class ActiveRule:
    """An active rule."""

    rule: Rule
    origin: Origin
    key: str = ""
    """The key of its draws; the rule's id unless given."""
    ends: int | None = None
    """The instant at which its ttl ends; None without one."""
    replaced: "ActiveRule | None" = None
    """The rule that it replaces until then."""
    former_rule: tuple[Rule, int | None] | None = None
    """The rule before a change that ends by itself, and when it would have ended."""
    matched: int = 0
    """Requests that passed match and when."""
    fired: int = 0
    _by_resource: dict[str | None, int] = field(default_factory=dict)
    _by_caller: dict[tuple[str, str | None], int] = field(default_factory=dict)
    """Requests of each caller, if callers are distinguished; and of each of its resources, if those count."""

    def copy(self) -> "ActiveRule":
        """Return a copy of this rule with its counts, which counts separately from now on."""
        replaced = self.replaced and self.replaced.copy()
        return replace(self, replaced=replaced, _by_resource=dict(self._by_resource), _by_caller=dict(self._by_caller))

    def remains(self, now: int) -> "list[ActiveRule]":
        """Return what remains of the rule at an instant: the rule itself, as it was before a change, the one that it
        replaced for a time, or nothing."""
        active = self
        while active.ends is not None and now >= active.ends:
            if active.former_rule is not None:
                (active.rule, active.ends), active.former_rule = active.former_rule, None
            elif active.replaced is not None:
                active = active.replaced
            else:
                return []
        return [active]

    def decide(
        self, moment: Moment, resource: str | None, winner: str | None, chance: Chance, caller: str | None = None
    ) -> tuple[Decision, Step, Draw]:
        """Decide about a request that matches: return the decision, the faults to apply, and the draws for them.
        `winner` is the id of an earlier rule whose outcome the request gets; `caller` counts its requests alone."""
        rule = self.rule
        unmet = rule.when.unmet(moment) if rule.when else None
        if unmet is not None:
            return Decision(False, unmet), (), _no_draw
        ordinal, draw = self._count(resource, chance, caller)
        turn = rule.times.turn(ordinal)
        reasons = [rule.times.describe(ordinal)]
        if turn is None:
            return Decision(False, reasons[0]), (), draw
        step = rule.step(turn)
        if rule.scripted:
            reasons.append(f"step {rule.place(turn)} of {len(rule.steps)}{'' if step else ': pass'}")
        if not step:
            return Decision(False, ", ".join(reasons)), (), draw
        probability = rule.probability.at(moment)
        if probability < 1:
            drawn = draw("fire")
            if drawn >= probability:
                return Decision(False, _compared(drawn, "≥", probability)), (), draw
            reasons.append(_compared(drawn, "<", probability))
        if winner is not None:
            return Decision(False, f"behind {winner}"), (), draw
        return Decision(True, ", ".join(reasons), rule.place(turn)), step, draw

    def _count(self, resource: str | None, chance: Chance, caller: str | None) -> tuple[int, Draw]:
        """Count a request; return its ordinal, among all or among those of its resource, and its draws.

        For a `caller`, the ordinal and so the draws are as if no other caller made requests."""
        self.matched += 1
        key = self.key or self.rule.id
        if self.rule.per == "sandbox":
            ordinal = self.matched if caller is None else self._count_of(caller, None) + self._before_callers
            return ordinal, partial(chance.fraction, key, ordinal)
        if caller is None:
            ordinal = self._by_resource[resource] = self._by_resource.get(resource, 0) + 1
        else:
            ordinal = self._count_of(caller, resource) + self._by_resource.get(resource, 0)
        return ordinal, partial(chance.fraction, key, resource, ordinal)

    def _count_of(self, caller: str, resource: str | None) -> int:
        count = self._by_caller[caller, resource] = self._by_caller.get((caller, resource), 0) + 1
        return count

    @property
    def _before_callers(self) -> int:
        """Requests that came before callers were distinguished."""
        return self.matched - sum(self._by_caller.values())


def copies(rules: Iterable[ActiveRule]) -> list[ActiveRule]:
    """Return copies of these rules with their counts, which count separately from now on."""
    return [each.copy() for each in rules]


def _no_draw(purpose: str) -> float:
    return 0.0


def _compared(draw: float, sign: str, probability: float) -> str:
    """Return a draw as the journal shows it, with enough digits to see that the sign is right."""
    digits = next((n for n in range(2, 17) if f"{draw:.{n}f}" != f"{probability:.{n}f}"), 17)
    return f"draw {draw:.{digits}f} {sign} {probability:.{digits}f}"
