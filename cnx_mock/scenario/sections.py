"""What may stand in a scenario file, key by key: the declarations behind `document`, the JSON Schema and the errors."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from cnx_mock.api.validation import Declared
from cnx_mock.scenario.provisioning import Polls, ProvisioningWay, read_provisioning
from cnx_mock.text.shipped import names
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.text.units import parse_instant, parse_money, parse_rate
from cnx_mock.world.account import AccountPlan

_MOST = 1_000_000_000
"""The most of anything that is counted."""


def _text_or_texts(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item.strip("!") for item in items):
        raise ValueError("must be a text or a list of texts")
    return value


def _scalar_or_scalars(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    if not items or any(isinstance(item, list | dict) for item in items):
        raise ValueError("must be a value or a list of values")
    if any(isinstance(item, int | float) and not -(1 << 63) <= item < 1 << 63 for item in items):
        raise ValueError("must be a number of at most 64 bits")
    return value


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


def _speed(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:
        raise ValueError("must be a number above 0, at most 1000000")
    return float(value)


_Texts = Annotated[Any, BeforeValidator(_text_or_texts)]
_Scalars = Annotated[Any, BeforeValidator(_scalar_or_scalars)]
_Provisioning = Annotated[Any, BeforeValidator(read_provisioning), WithJsonSchema(ProvisioningWay.model_json_schema())]


class MatchSection(Declared):
    """Which requests a rule means: all keys must hold; lists are alternatives; `*` globs; `!` excludes."""

    operation: _Texts | None = None
    """Names such as `instances.create` or `instances.*`."""
    method: _Texts | None = None
    """`GET`, `POST`, …"""
    path: _Texts | None = None
    """The path of the request, without the query."""
    body: dict[str, _Scalars] | None = None
    """Values by top-level name or JSON pointer."""


class RuleSection(Declared):
    """One rule."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")] | None = None
    """Its name; `rule-N` unless given."""
    match: MatchSection = MatchSection()
    """Which requests it means; every one unless given."""
    times: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    """How many of them, from the first; every one unless given."""
    probability: Annotated[Any, BeforeValidator(_probability)] = 1.0
    """The chance that the fault is applied."""
    at: Literal["before", "after"] = "before"
    """Before the effect, or after the change has been committed."""
    fault: Any
    """What happens: shapers, and at most one outcome."""


def _fixture(name: str) -> str:
    known = [each for each in names("fixtures") if each != "catalogue"]
    if name not in known and not name.endswith((".yaml", ".yml", ".json")) and "/" not in name:
        raise ValueError(f"must be a path, or one of: {one_of(known)}{did_you_mean(name, known)}")
    return name


class ClockSection(Declared):
    """The sandbox's clock."""

    start: Annotated[Any, BeforeValidator(parse_instant)] | None = None
    """Where it starts, RFC 3339."""
    speed: Annotated[Any, BeforeValidator(_speed)] | None = None
    """Sandbox seconds per real second."""
    frozen: bool | None = None
    """Whether it stands still but for `advance`."""


class WorldSection(Declared):
    """How the sandbox starts."""

    plan: AccountPlan | None = None
    """The account's plan, which gives the rate limit."""
    balance: Annotated[Any, BeforeValidator(parse_money)] | None = None
    """The account's balance, such as "$5.07"."""
    rate_limit: Annotated[Any, BeforeValidator(parse_rate)] | None = None
    """Requests a minute, such as 5/min, in place of the plan's."""
    quotas: (
        dict[Literal["instances", "snapshots", "firewalls", "load_balancers"], Annotated[int, Field(ge=0, le=_MOST)]]
        | None
    ) = None
    """The most of each resource."""
    fixture: Annotated[str, AfterValidator(_fixture)] | None = None
    """The world to start from: a fixture's name, or a path."""
    readings: dict[str, Any] = {}
    """What ambiguous sentences of the reference mean, such as {delete-answer: "204"}."""
    clock: ClockSection = ClockSection()
    """The sandbox's clock."""


class ProvisioningSection(Declared):
    """How long things take to come up."""

    instance: _Provisioning | None = None
    """45s, [30s, 90s], never, {polls: 3}, {delay: 45s, then: stopped} or {then: stopped}."""
    load_balancer: _Provisioning | None = None
    """The same for load balancers."""
    snapshot: _Provisioning | None = None
    """The same for snapshots."""
    polls: Polls | None = None
    """For everything: how many reads say provisioning."""


class ScenarioSection(Declared):
    """A whole scenario."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Its name; the file's stem unless given."""
    description: str = ""
    """What it shows."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    """The seed of its chance; the server's unless given."""
    world: WorldSection = WorldSection()
    """How the sandbox starts."""
    provisioning: ProvisioningSection = ProvisioningSection()
    """How long things take to come up."""
    rules: list[dict[str, Any]] = []
    """What goes wrong, asked in order."""
