"""The keys of a scenario file, as models: what `read_scenario`, the JSON Schema and the errors are made from."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from cnx_mock.api.declarations import AfterValidator, BeforeValidator, Field, WithJsonSchema, later, model_validator
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.conditions import (
    PROBABILITY_SCHEMA,
    TIMES_SCHEMA,
    Probability,
    WhenModel,
    read_probability,
    read_times,
)
from cnx_mock.scenario.field_types import (
    DURATION,
    MOST,
    Count,
    Duration,
    HeaderName,
    Ids,
    Instant,
    Money,
    OwnTexts,
    PathTexts,
    Rate,
    Scalars,
    Texts,
    example,
)
from cnx_mock.scenario.provisioning import PROVISIONING_SCHEMA, Polls, read_provisioning
from cnx_mock.scenario.resources import RESOURCES_SCHEMA, ExpectedResources, read_resources
from cnx_mock.text.shipped import names
from cnx_mock.text.suggestions import one_of
from cnx_mock.text.units import parse_duration
from cnx_mock.world.account import AccountPlan
from cnx_mock.world.kinds import MADE

_SPEED = {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}


def _speed(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:
        raise ValueError("must be a number above 0 and at most 1000000")
    return float(value)


_Provisioning = Annotated[Any, BeforeValidator(read_provisioning), WithJsonSchema(PROVISIONING_SCHEMA)]


def _name_check(signs: str) -> Callable[[str], str]:
    """Return a check for names of letters, digits and these signs."""

    def check(name: str) -> str:
        if not re.fullmatch(_name_schema(signs)["pattern"], name) or name.endswith("\n"):
            raise ValueError(
                f"must begin with a letter or a digit, and have at most 100 letters, digits and {' '.join(signs)}"
            )
        return name

    return check


def _name_schema(signs: str) -> dict[str, str]:
    return {"type": "string", "pattern": f"^[A-Za-z0-9][A-Za-z0-9{signs}]{{0,99}}$"}


def _phase_duration(value: object) -> int:
    duration = parse_duration(value)
    if duration == 0:
        raise ValueError("must be longer than 0s")
    return duration


class MatchModel(Declared):
    """Which requests a rule matches. All given keys must match. A list has alternatives, `*` stands for any text, and
    `!` excludes."""

    model_config = example(operation="instances.create")

    operation: Texts = None
    """Names such as `instances.create` or `instances.*`."""
    method: Texts = None
    """`GET`, `POST`, …"""
    path: PathTexts = None
    """The request's path, without the query."""
    resource: Ids = None
    """The id in the path; null if the path has none."""
    query: dict[str, OwnTexts] = {}
    """Values of the query, by name. A value is the string as it is written: `1.10` is not `1.1`. null means that the
    name is absent."""
    header: dict[HeaderName, OwnTexts] = {}
    """Values of headers, by name; upper and lower case are the same. A value is the string as it is written: `1.10` is
    not `1.1`. null means that the header is absent."""
    body: dict[str, Scalars] = {}
    """Values of the body, by top-level name or JSON pointer. Numbers, strings and booleans differ, as in JSON. null
    means that the name is absent, or its value is null. In a list, one matching item is enough."""


class RuleModel(Declared):
    """One rule."""

    id: Annotated[str, AfterValidator(_name_check("._:-")), WithJsonSchema(_name_schema("._:-"))] | None = None
    """The rule's name. Default: `rule-N`, with its number in the file."""
    match: MatchModel = later(MatchModel)
    """Which requests the rule matches. Default: all."""
    when: WhenModel | None = None
    """In which part of the scenario the rule is active. Default: always."""
    times: Annotated[Any, BeforeValidator(read_times), WithJsonSchema(TIMES_SCHEMA)] | None = None
    """Which of the matching requests: `2` for the first two, {skip: 2, take: 1}, {every: 5} or {only: [1, 4]}.
    Default: all."""
    per: Literal["sandbox", "resource"] | None = None
    """How `times` counts: all requests together, or separately for each id in the path."""
    probability: Annotated[Any, BeforeValidator(read_probability), WithJsonSchema(PROBABILITY_SCHEMA)] = Probability(
        1.0, 1.0
    )
    """The probability of the fault: 0.3, or {from: 0.0, to: 0.4} to change it evenly during a phase."""
    at: Literal["before", "after"] = "before"
    """Whether the fault comes before the call has an effect, or after its change was committed."""
    fault: Any = None
    """What happens: any shapers, and at most one outcome."""
    sequence: Annotated[list[Any], Field(min_length=1)] | None = None
    """What happens at the first request, the second, and so on: a fault, or `pass` for no fault."""
    then: Literal["pass", "repeat", "last"] | None = None
    """What happens after the sequence: `pass` for no fault (the default), `repeat` to start again, `last` to repeat the
    last fault."""
    ttl: Duration | None = None
    """How long the rule lasts, by the sandbox's clock. After that, the rule that it replaced is active again."""


class PhaseModel(Declared):
    """A part of the story."""

    model_config = example(name="outage", **{"for": "30s"})

    name: Annotated[str, AfterValidator(_name_check("._-")), WithJsonSchema(_name_schema("._-"))]
    """The phase's name, for `when`."""
    lasts: Annotated[Any, BeforeValidator(_phase_duration), WithJsonSchema(DURATION), Field(alias="for")] = None
    """How long the phase lasts, on the sandbox's clock."""
    until: "UntilModel | None" = None
    """What ends the phase, if not a time."""

    @model_validator(mode="after")
    def _one_end(self) -> "PhaseModel":
        if self.lasts is not None and self.until is not None:
            raise ValueError("has both for and until: leave one of them out")
        return self


class UntilModel(Declared):
    """What ends a phase."""

    model_config = example(requests=20)

    requests: Count
    """The number of requests after which the phase ends. Requests that the rate limit refuses do not count."""


Resources = Annotated[Any, BeforeValidator(read_resources), WithJsonSchema(RESOURCES_SCHEMA)] | None


class ExpectModel(Declared):
    """What must be true at the end."""

    model_config = example(instances=1)

    fired: dict[str, Annotated[int, Field(ge=0, le=MOST)]] = {}
    """How often each rule must have fired, by the rule's id."""
    audit: Literal["clean"] | None = None
    """`clean`: the audit must have no finding about the client."""
    instances: Resources = None
    """The instances that must exist: their number, such as 1, or a list with the fields of each, such as [{name: web-1,
    status: running}]. {at_least: …} with a number or a list allows more."""
    snapshots: Resources = None
    """The same for snapshots."""
    firewalls: Resources = None
    """The same for firewalls."""
    load_balancers: Resources = None
    """The same for load balancers."""

    @property
    def resources(self) -> dict[str, ExpectedResources]:
        """What is expected of each kind of resource, by its plural."""
        given = {kind.plural: getattr(self, kind.plural) for kind in MADE}
        return {plural: expected for plural, expected in given.items() if expected is not None}


def _fixture(name: str | dict[str, Any]) -> str | dict[str, Any]:
    if isinstance(name, dict):
        return name
    known = names("fixtures")
    if name not in known and not name.endswith((".yaml", ".yml", ".json")) and "/" not in name:
        raise ValueError(f"must be a path, or one of: {one_of(known, name)}")
    return name


class ClockModel(Declared):
    """The sandbox's clock."""

    model_config = example(speed=60)

    start: Instant | None = None
    """The instant at which the clock starts (RFC 3339)."""
    speed: Annotated[Any, BeforeValidator(_speed), WithJsonSchema(_SPEED)] | None = None
    """Sandbox seconds per real second."""
    frozen: bool | None = None
    """Whether the clock is stopped; then only `advance` moves it."""


class WorldModel(Declared):
    """The sandbox's state at the start."""

    model_config = example(balance="$5.07")

    plan: AccountPlan | None = None
    """The account's plan, which gives the rate limit."""
    balance: Money | None = None
    """The account's balance, such as "$5.07"."""
    rate_limit: Rate | None = None
    """Requests per minute, such as 5/min, instead of the plan's."""
    quotas: (
        dict[Literal["instances", "snapshots", "firewalls", "load_balancers"], Annotated[int, Field(ge=0, le=MOST)]]
        | None
    ) = None
    """The largest number of each resource."""
    fixture: Annotated[str | dict[str, Any], AfterValidator(_fixture)] | None = None
    """The fixture to start from: its name, a path, or the fixture itself."""
    readings: dict[str, Any] = {}
    """The chosen meaning of ambiguous sentences of the reference, such as {delete-answer: "204"}."""
    clock: ClockModel = later(ClockModel)
    """The sandbox's clock."""


class ProvisioningModel(Declared):
    """How long resources take to provision."""

    model_config = example(instance="45s")

    instance: _Provisioning | None = None
    """45s, [30s, 90s], never, {polls: 3}, {delay: 45s, then: stopped} or {then: stopped}."""
    load_balancer: _Provisioning | None = None
    """The same for load balancers."""
    snapshot: _Provisioning | None = None
    """The same for snapshots."""
    polls: Polls | None = None
    """For all kinds: how many reads still show the status provisioning."""


class ScenarioModel(Declared):
    """A whole scenario."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The scenario's name. Default: the file's name without its ending."""
    description: str = ""
    """What the scenario shows, in one sentence."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    """The seed for all random choices. Default: the server's."""
    world: WorldModel = later(WorldModel)
    """The sandbox's state at the start."""
    provisioning: ProvisioningModel = later(ProvisioningModel)
    """How long resources take to provision."""
    phases: list[PhaseModel] = []
    """The parts of the scenario in order; the last one does not end."""
    repeat: bool = False
    """Whether the first phase follows the last one."""
    rules: list[dict[str, Any]] = []
    """What goes wrong. The rules are evaluated in order."""
    expect: ExpectModel = later(ExpectModel)
    """What must be true at the end of a test."""
