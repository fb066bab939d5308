"""What the rules of a sandbox decide about one request, and which of their faults are applied."""

from collections.abc import Callable
from dataclasses import field, replace

from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.active_rule import ActiveRule, Decision, Draw
from cnx_mock.scenario.fault import Fault
from cnx_mock.scenario.lasting import Lasting
from cnx_mock.scenario.rule import Rule


@dataclass(frozen=True, slots=True)
class Chosen:
    """A fault to apply to one request."""

    active: ActiveRule
    rule: Rule
    fault: Fault
    draw: Draw
    lasts: Callable[[ActiveRule, Fault, Lasting], None]
    """Keeps the lasting effect that the fault starts."""


@dataclass(slots=True)
class Ruling:
    """What the rules decide about one request."""

    asked: tuple[tuple[ActiveRule, Rule], ...]
    """The active rules, in the order in which they are asked: each active rule, and its rule at that time."""
    decisions: dict[ActiveRule, Decision] = field(default_factory=dict)
    """The decision of each rule that matches."""
    chosen: list[Chosen] = field(default_factory=list)
    """Every fault to apply, outermost first."""
    applied: list[tuple[str, str]] = field(default_factory=list)
    """(rule id, fault) of every fault that was applied."""

    def fired(self, active: ActiveRule, fault: Fault) -> None:
        """Record that a fault was applied. A rule counts once an exchange, however many faults it has."""
        if not self._has_applied(active):
            active.fired += 1
            self.decisions[active] = replace(self.decisions[active], fired=True)
            if active.rule.notify is not None:
                active.rule.notify()
        self.applied.append((active.rule.id, fault.label()))

    def spared(self, active: ActiveRule, why: str) -> None:
        """Record that a fault was not applied although its rule had decided for it. The rule's ordinal is spent."""
        decision = self.decisions[active]
        self.decisions[active] = Decision(self._has_applied(active), f"{decision.reason}, {why}")

    def _has_applied(self, active: ActiveRule) -> bool:
        """Return whether a fault of this rule was applied already."""
        return any(rule_id == active.rule.id for rule_id, _ in self.applied)
