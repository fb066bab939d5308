"""How long things take to come up, as scenarios say it: in their own section, and in a rule's fault."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from cnx_mock.api.validation import Declared
from cnx_mock.scenario.faults.latency import Between, read_range
from cnx_mock.scenario.field_types import RANGE
from cnx_mock.world.lifecycle import ProvisioningRule

Polls = Annotated[int, Field(ge=0, le=1_000_000)]


def _delay(value: object) -> ProvisioningRule:
    return ProvisioningRule(delay=None if value == "never" else read_range(value))


_DELAY = {"anyOf": [{"const": "never"}, *RANGE["anyOf"]]}


class ProvisioningWay(Declared):
    """How long one kind of thing takes to come up, and what becomes of it."""

    delay: Annotated[Any, BeforeValidator(_delay), WithJsonSchema(_DELAY)] | None = None
    """45s, [30s, 90s] or never; as long as usual where only `then` is said."""
    polls: Polls | None = None
    """How many reads say provisioning."""
    then: Literal["running", "stopped"] | None = None
    """Its lasting status, if it is an instance."""


def read_provisioning(value: object) -> ProvisioningRule:
    """`45s`, `[30s, 90s]`, `never`, `{polls: 3}`, `{delay: 45s, then: stopped}` or `{then: stopped}`. ValueError says
    what is wrong."""
    if not isinstance(value, Mapping):
        return _delay(value)
    way = ProvisioningWay.model_validate(value)
    if way.polls is not None and way.delay is not None:
        raise ValueError("needs either polls or delay")
    if way.polls is None and way.delay is None and way.then is None:
        raise ValueError("needs polls, delay or then")
    usual = way.polls is None and way.delay is None
    return ProvisioningRule(delay=way.delay.delay if way.delay else None, polls=way.polls, then=way.then, usual=usual)


PROVISIONING_SCHEMA = {"anyOf": [*_DELAY["anyOf"], ProvisioningWay.model_json_schema()]}


def spell_provisioning(rule: ProvisioningRule) -> str:
    """The rule in the journal's words: `1m30s`, `30s..45s`, `{delay: 45s, then: stopped}`."""
    delay = "never" if rule.delay is None else str(Between(*rule.delay))
    if rule.then is None:
        return delay if rule.polls is None else f"{{polls: {rule.polls}}}"
    if rule.usual:
        return f"{{then: {rule.then}}}"
    way = f"delay: {delay}" if rule.polls is None else f"polls: {rule.polls}"
    return f"{{{way}, then: {rule.then}}}"
