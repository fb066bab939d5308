"""How a resource becomes ready. Its status is a pure function of its beginning, its rule, the time and its polls."""

import re
from dataclasses import replace

from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import parse_duration
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import MINUTE, SECOND

POLLS_END_AFTER = MINUTE
"""The time after which a resource that counts polls becomes ready anyway, so that `advance("60s")` is enough."""


@dataclass(frozen=True, slots=True)
class ProvisioningRule:
    """How long a resource takes to become ready, and which status it has then."""

    delay: tuple[int, int] | None
    """The shortest and the longest time, in microseconds; None for never."""
    polls: int | None = None
    """How many reads it takes, in place of a time."""
    then: str | None = None
    """The status after that; None for the default one."""
    is_status_only: bool = False
    """Whether the rule only sets the status after that. The time is then the default one."""

    @classmethod
    def parsed(cls, text: str) -> "ProvisioningRule":
        """Return the rule that an option means: `2s`, `30s..60s`, `never` or `polls:3`. Raises ValueError."""
        kind, colon, number = text.partition(":")
        if colon and kind.strip() == "polls":
            if not re.fullmatch("[0-9]{1,6}", number.strip(), re.ASCII):
                raise ValueError(f"needs a number of reads: write polls:3, not {text!r}")
            return cls(delay=None, polls=int(number))
        if text == "never":
            return cls(delay=None)
        first, dots, last = text.partition("..")
        try:
            low, high = parse_duration(first), parse_duration(last if dots else first)
        except ValueError:
            raise ValueError(f"must be a time such as 2s or 30s..60s, never, or polls:3, not {text!r}") from None
        if low > high:
            raise ValueError(f"must have the shorter time first, not {text!r}")
        return cls(delay=(low, high))

    @property
    def is_plain(self) -> bool:
        """Whether it is a time, and nothing else: a resource is never ready at once, and has the default status
        then."""
        return (
            self.polls is None
            and self.delay is not None
            and self.delay[0] > 0
            and not (self.then or self.is_status_only)
        )

    def drawn(self, chance: Chance, now: int, resource_id: str) -> int:
        """Return when a resource becomes ready that is made now. The time is drawn from the range: in whole seconds if
        both ends are whole seconds, otherwise in microseconds."""
        assert self.delay is not None, "it has a time"
        low, high = self.delay
        unit = SECOND if low % SECOND == high % SECOND == 0 else 1
        return now + unit * chance.between_for(low // unit, high // unit, "provisioning", resource_id)

    def over(self, other: "ProvisioningRule") -> "ProvisioningRule":
        """Return this rule, or, if it only sets the status, the `other` one with that status."""
        return replace(other, then=self.then or other.then) if self.is_status_only else self


SNAPSHOT = ProvisioningRule(delay=(5 * SECOND, 15 * SECOND))

INSTANCE = ProvisioningRule(delay=(30 * SECOND, 60 * SECOND))
"""From the reference: "Deployment typically completes within 30-60 seconds." """


@dataclass(slots=True)
class Lifecycle:
    """The way of one resource from its first status to its lasting one. It is fixed when the resource is made."""

    ends: int | None
    """The instant at which it becomes ready; None for never."""
    polls_left: int | None
    """How many more reads show the first status; None if reads do not count."""
    then: str
    """The lasting status."""
    first: str = "provisioning"
    """The status until then."""
    views: dict[str | None, "View"] | None = None
    """What each caller has come to see, if callers are told apart; None has what a caller sees that has not looked."""

    @classmethod
    def begin(
        cls, rule: ProvisioningRule, chance: Chance, now: int, resource_id: str, then: str, first: str = "provisioning"
    ) -> "Lifecycle":
        """Return the lifecycle of a resource that is made now. `then` is the lasting status, unless the rule names
        one."""
        if rule.polls is not None:
            ends: int | None = now if rule.polls == 0 else now + POLLS_END_AFTER
        elif rule.delay is None:
            ends = None
        else:
            ends = rule.drawn(chance, now, resource_id)
        return cls(ends=ends, polls_left=rule.polls or None, then=rule.then or then, first=first)

    def status(self, now: int) -> str:
        """Return the first status, or the lasting one if the resource is ready."""
        return self.then if self.ready(now) else self.first

    def ready(self, now: int) -> bool:
        """Return whether the resource is ready."""
        return self.ends is not None and now >= self.ends

    def count_poll(self, now: int, caller: str | None = None) -> None:
        """Count one read, if reads count for this resource. After the last of them it is ready: for this `caller` alone
        if callers are told apart."""
        if self.polls_left is None or self.ends is None:
            return
        if caller is None:
            if now < self.ends:
                self.ends, self.polls_left = _after_a_poll((self.ends, self.polls_left), now)
            return
        views = self.views = self.views or {None: (self.ends, self.polls_left)}
        seen = views.get(caller, views[None])
        if now < seen[0]:
            views[caller] = _after_a_poll(seen, now)
            self.show_to(None)

    def show_to(self, caller: str | None) -> bool:
        """Show the state that a caller sees. None is an observer outside the API: for it, a resource is ready when one
        caller sees it as ready. Return whether the state changed."""
        if self.views is None:
            return False
        seen = min(self.views.values()) if caller is None else self.views.get(caller, self.views[None])
        if seen == (self.ends, self.polls_left):
            return False
        self.ends, self.polls_left = seen
        return True

    def ready_for_all(self, now: int) -> bool:
        """Return whether every caller sees the resource ready."""
        return self.ready(now) if self.views is None else now >= self.views[None][0]


View = tuple[int, int]
"""The instant at which a resource becomes ready, and how many more reads it takes."""


def _after_a_poll(view: View, now: int) -> View:
    ends, left = view
    return (ends, left - 1) if left > 1 else (now, 0)
