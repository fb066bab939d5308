"""How a resource comes into being: its status is a pure function of when it began, its rule, the time, the polls
seen."""

from dataclasses import dataclass, replace

from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import MINUTE, SECOND

POLLS_END_AFTER = MINUTE
"""A rule that counts polls ends by itself after this much of the sandbox's time, so that `advance("60s")` ends it
too."""


@dataclass(frozen=True, slots=True)
class ProvisioningRule:
    """How long a resource takes to come up.

    `delay` is a range in microseconds, or None for never; `polls` counts reads instead; `then` is the status after it.
    """

    delay: tuple[int, int] | None
    polls: int | None = None
    then: str | None = None
    usual: bool = False
    """Whether it takes as long as it would without this rule, which speaks of nothing but what comes then."""

    def over(self, other: "ProvisioningRule") -> "ProvisioningRule":
        """The rule where `other` is what is usual, and says how long."""
        return replace(other, then=self.then or other.then) if self.usual else self


SNAPSHOT = ProvisioningRule(delay=(5 * SECOND, 15 * SECOND))

INSTANCE = ProvisioningRule(delay=(30 * SECOND, 60 * SECOND))
"""The reference's words: "Deployment typically completes within 30-60 seconds." """


@dataclass(slots=True)
class Lifecycle:
    """One resource's way from its first status to its lasting one, fixed when it was made."""

    began: int
    ends: int | None
    polls_left: int | None
    then: str
    first: str = "provisioning"

    @classmethod
    def begin(
        cls, rule: ProvisioningRule, chance: Chance, now: int, resource_id: str, then: str, first: str = "provisioning"
    ) -> "Lifecycle":
        """Fix the rule for a resource that is made now; `then` is the lasting status unless the rule names one.

        A range is drawn in whole seconds where both its ends are whole seconds, else in microseconds.
        """
        if rule.polls is not None:
            ends: int | None = now if rule.polls == 0 else now + POLLS_END_AFTER
        elif rule.delay is None:
            ends = None
        else:
            low, high = rule.delay
            unit = SECOND if low % SECOND == high % SECOND == 0 else 1
            ends = now + unit * chance.between(low // unit, high // unit, "provisioning", resource_id)
        return cls(began=now, ends=ends, polls_left=rule.polls or None, then=rule.then or then, first=first)

    def status(self, now: int) -> str:
        """The first status until it has come up, then the lasting one."""
        return self.then if self.ready(now) else self.first

    def ready(self, now: int) -> bool:
        """Whether the resource has come up."""
        return self.ends is not None and now >= self.ends

    def seen(self, now: int) -> None:
        """Count one read of a resource that counts polls: after the last of them it has come up."""
        if self.polls_left is not None and not self.ready(now):
            self.polls_left -= 1
            if self.polls_left == 0:
                self.ends = now
