"""How long resources take to provision, as a scenario's `provisioning` and as a fault of a rule."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema, later
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.faults.latency import Between, read_range
from cnx_mock.scenario.field_types import RANGE
from cnx_mock.world.lifecycle import ProvisioningRule

Polls = Annotated[int, Field(ge=0, le=1_000_000)]


def _delay(value: object) -> ProvisioningRule:
    return ProvisioningRule(delay=None if value == "never" else read_range(value))


_DELAY = {"anyOf": [{"const": "never"}, *RANGE["anyOf"]]}


class ResourceProvisioningModel(Declared):
    """How long one kind of resource takes to provision, and which status it has then."""

    delay: Annotated[Any, BeforeValidator(_delay), WithJsonSchema(_DELAY)] | None = None
    """45s, [30s, 90s] or never. If only `then` is given, the default time."""
    polls: Polls | None = None
    """How many reads still have the status provisioning."""
    then: Literal["running", "stopped"] | None = None
    """The status after that, for an instance."""


def read_provisioning(value: object) -> ProvisioningRule:
    """Return the rule that a value means.

    The value is `45s`, `[30s, 90s]`, `never`, `{polls: 3}`, `{delay: 45s, then: stopped}` or `{then: stopped}`. Raises
    ValueError, or pydantic's ValidationError, for anything else.
    """
    if not isinstance(value, Mapping):
        return _delay(value)
    model = ResourceProvisioningModel.model_validate(value)
    if model.polls is not None and model.delay is not None:
        raise ValueError("cannot have both polls and delay: leave one out")
    if model.polls is None and model.delay is None and model.then is None:
        raise ValueError("must have polls, delay or then")
    return ProvisioningRule(
        delay=model.delay.delay if model.delay else None,
        polls=model.polls,
        then=model.then,
        is_status_only=model.polls is None and model.delay is None,
    )


PROVISIONING_SCHEMA = later(lambda: {"anyOf": [*_DELAY["anyOf"], ResourceProvisioningModel.model_json_schema()]})


def spell_provisioning(rule: ProvisioningRule) -> str:
    """Return the rule as the journal shows it: `1m30s`, `30s..45s`, `{delay: 45s, then: stopped}`."""
    delay = "never" if rule.delay is None else str(Between(*rule.delay))
    if rule.then is None:
        return delay if rule.polls is None else f"{{polls: {rule.polls}}}"
    if rule.is_status_only:
        return f"{{then: {rule.then}}}"
    first = f"delay: {delay}" if rule.polls is None else f"polls: {rule.polls}"
    return f"{{{first}, then: {rule.then}}}"
