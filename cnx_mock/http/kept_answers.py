"""Answers to reads, kept for the next call that asks for the same while nothing has changed.

It saves the stages of the operation, which are a third of such a call. An answer is kept only if its handler says until
when it stays the same while no instance changes. It is used only while the account has chosen no reading, polls are not
counted, and the key has the same scopes. `tests/http/test_kept_answers.py` holds that reads are the same without it.
"""

from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.request import RequestTarget
from cnx_mock.world.records import KeyRecord
from cnx_mock.world.sandbox import SandboxState


def kept_answer(sandbox: SandboxState, target: RequestTarget, key: KeyRecord, now: int) -> Answer | None:
    """Return the answer that a call for this target gets at this instant, None if it is not known."""
    kept = sandbox.recent.get((sandbox.instances.changes.version, target))
    if kept is None:
        return None
    answer: Answer = kept[0]
    if kept[1] is not key.scopes or now >= kept[2] or sandbox.readings or sandbox.polling:
        return None
    return answer


def keep_answer(sandbox: SandboxState, target: RequestTarget, key: KeyRecord, answer: Answer, until: int) -> None:
    """Keep an answer that stays the same until an instant, as long as no instance changes."""
    if not sandbox.readings and not sandbox.polling:
        place = (sandbox.instances.changes.version, target)
        sandbox.recent.put(place, (answer, key.scopes, until), kilobytes=1)
