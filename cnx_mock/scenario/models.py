"""What may stand in a scenario file, key by key: the declarations behind `document`, the JSON Schema and the errors."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from cnx_mock.api.validation import Declared
from cnx_mock.scenario.conditions import (
    PROBABILITY_SCHEMA,
    TIMES_SCHEMA,
    Probability,
    WhenSection,
    read_probability,
    read_times,
)
from cnx_mock.scenario.field_types import DURATION, MOST, Count, Duration, Instant, Money, Rate, Scalars, Texts, example
from cnx_mock.scenario.provisioning import PROVISIONING_SCHEMA, Polls, read_provisioning
from cnx_mock.text.shipped import names
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.text.units import parse_duration
from cnx_mock.world.account import AccountPlan

_SPEED = {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}


def _speed(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:
        raise ValueError("must be a number above 0, at most 1000000")
    return float(value)


_Provisioning = Annotated[Any, BeforeValidator(read_provisioning), WithJsonSchema(PROVISIONING_SCHEMA)]


def _named(signs: str) -> Callable[[str], str]:
    """A check for names of letters, digits and these signs."""

    def named(name: str) -> str:
        if not re.fullmatch(_name_schema(signs)["pattern"], name) or name.endswith("\n"):
            raise ValueError(
                f"must be at most 100 letters, digits and any of {' '.join(signs)}, with a letter or a digit in front"
            )
        return name

    return named


def _name_schema(signs: str) -> dict[str, str]:
    return {"type": "string", "pattern": f"^[A-Za-z0-9][A-Za-z0-9{signs}]{{0,99}}$"}


def _lasting(value: object) -> int:
    lasts = parse_duration(value)
    if lasts == 0:
        raise ValueError("must be longer than 0s")
    return lasts


class MatchSection(Declared):
    """Which requests a rule means: all keys must hold; lists are alternatives; `*` globs; `!` excludes."""

    model_config = example(operation="instances.create")

    operation: Texts | None = None
    """Names such as `instances.create` or `instances.*`."""
    method: Texts | None = None
    """`GET`, `POST`, …"""
    path: Texts | None = None
    """The path of the request, without the query."""
    resource: Texts | None = None
    """The id in the path."""
    query: dict[str, Scalars] | None = None
    """Values of the query, by name."""
    header: dict[str, Scalars] | None = None
    """Values of headers, by name, whatever its case."""
    body: dict[str, Scalars] | None = None
    """Values of the body, by top-level name or JSON pointer; of a list one item is enough."""


class RuleSection(Declared):
    """One rule."""

    id: Annotated[str, AfterValidator(_named("._:-")), WithJsonSchema(_name_schema("._:-"))] | None = None
    """Its name; `rule-N` unless given."""
    match: MatchSection = MatchSection()
    """Which requests it means; every one unless given."""
    when: WhenSection | None = None
    """In which part of the story it holds; all of it unless given."""
    times: Annotated[Any, BeforeValidator(read_times), WithJsonSchema(TIMES_SCHEMA)] | None = None
    """Which of the requests that match: the first 2, {skip: 2, take: 1}, {every: 5} or {only: [1, 4]}; every one unless
    given."""
    per: Literal["sandbox", "resource"] | None = None
    """Whether they are counted all together, or by the id in the path."""
    probability: Annotated[Any, BeforeValidator(read_probability), WithJsonSchema(PROBABILITY_SCHEMA)] = Probability(
        1.0, 1.0
    )
    """The chance that the fault is applied: 0.3, or {from: 0.0, to: 0.4} across a phase."""
    at: Literal["before", "after"] = "before"
    """Before the effect, or after the change has been committed."""
    fault: Any = None
    """What happens: shapers, and at most one outcome."""
    sequence: Annotated[list[Any], Field(min_length=1)] | None = None
    """What happens, one after the other: faults, or `pass`."""
    then: Literal["pass", "repeat", "last"] | None = None
    """What comes behind the sequence: nothing, all of it again, or its last fault for ever; `pass` unless given."""
    ttl: Duration | None = None
    """After how long it ends by itself, on the sandbox's clock; what it replaced is then back."""


class PhaseSection(Declared):
    """A part of the story."""

    model_config = example(name="outage", **{"for": "30s"})

    name: Annotated[str, AfterValidator(_named("._-")), WithJsonSchema(_name_schema("._-"))]
    """Its name, for `when`."""
    lasts: Annotated[Any, BeforeValidator(_lasting), WithJsonSchema(DURATION), Field(alias="for")] = None
    """How long it lasts, on the sandbox's clock."""
    until: "UntilSection | None" = None
    """What ends it, if not time."""

    @model_validator(mode="after")
    def _one_end(self) -> "PhaseSection":
        if self.lasts is not None and self.until is not None:
            raise ValueError("a phase ends by for or by until: leave one of them out")
        return self


class UntilSection(Declared):
    """What ends a phase."""

    model_config = example(requests=20)

    requests: Count
    """So many requests that were let in, faulted or not."""


class ExpectSection(Declared):
    """What must have happened by the end."""

    fired: dict[str, Annotated[int, Field(ge=0, le=MOST)]] = {}
    """How often each of these rules must have fired."""
    audit: Literal["clean"] | None = None
    """That the audit of the client has found nothing."""


def _fixture(name: str) -> str:
    known = [each for each in names("fixtures") if each != "catalogue"]
    if name not in known and not name.endswith((".yaml", ".yml", ".json")) and "/" not in name:
        raise ValueError(f"must be a path, or one of: {one_of(known)}{did_you_mean(name, known)}")
    return name


class ClockSection(Declared):
    """The sandbox's clock."""

    start: Instant | None = None
    """Where it starts, RFC 3339."""
    speed: Annotated[Any, BeforeValidator(_speed), WithJsonSchema(_SPEED)] | None = None
    """Sandbox seconds per real second."""
    frozen: bool | None = None
    """Whether it stands still but for `advance`."""


class WorldSection(Declared):
    """How the sandbox starts."""

    plan: AccountPlan | None = None
    """The account's plan, which gives the rate limit."""
    balance: Money | None = None
    """The account's balance, such as "$5.07"."""
    rate_limit: Rate | None = None
    """Requests a minute, such as 5/min, in place of the plan's."""
    quotas: (
        dict[Literal["instances", "snapshots", "firewalls", "load_balancers"], Annotated[int, Field(ge=0, le=MOST)]]
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
    phases: list[PhaseSection] = []
    """The parts of the story, one after the other; the last one stays."""
    repeat: bool = False
    """Whether the phases begin again behind the last one."""
    rules: list[dict[str, Any]] = []
    """What goes wrong, asked in order."""
    expect: ExpectSection = ExpectSection()
    """What must have happened by the end of a test."""
