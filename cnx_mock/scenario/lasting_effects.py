"""The lasting effects that the faults of one sandbox have started."""

from collections.abc import Collection

from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.fault import Fault
from cnx_mock.scenario.lasting import Lasting
from cnx_mock.world.records import KeyRecord


class LastingEffects:
    """All of them, each with the rule and the fault that began it."""

    def __init__(self) -> None:
        self.effects: list[tuple[ActiveRule, Fault, Lasting]] = []
        """Each with the rule and the fault that began it, the oldest first."""
        self._closed = False

    def add(self, active: ActiveRule, fault: Fault, lasting: Lasting) -> None:
        """Keep one that has begun; it is ended at once if the sandbox is not there any more."""
        if self._closed:
            lasting.end()
        else:
            self.effects.append((active, fault, lasting))

    def refusal(self, key: KeyRecord, now: int) -> tuple[str, str] | None:
        """Return the id of the rule and its fault that refuse every call with this key now; None if it is not. The call
        is counted."""
        for active, fault, lasting in self.effects:
            if lasting.refuses(key, now):
                return active.rule.id, fault.label()
        return None

    def keep(self, rules: Collection[ActiveRule]) -> None:
        """End those whose rule is not one of these."""
        for each in [each for each in self.effects if each[0] not in rules]:
            self.effects.remove(each)
            each[2].end()

    def close(self) -> None:
        """End all of them, for good."""
        self._closed = True
        self.keep(())
