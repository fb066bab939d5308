"""The phases of the current scenario: read them, jump to one, and write the whole scenario as a file."""

from collections.abc import Mapping
from typing import Any

import yaml

from cnx_mock.api.errors import ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.engine import Engine
from cnx_mock.text.suggestions import one_of
from cnx_mock.text.units import format_instant_ms
from cnx_mock.world.clock import SECOND

resource = Resource("_mock.story", "The story of the current scenario.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class PhaseItem(Shape):
    """A phase of the story."""

    name: str
    """Its name."""
    seconds: float | None
    """How long it lasts, in seconds of the sandbox's clock; null if no time ends it."""
    requests: int | None
    """After how many requests it ends; null if they do not end it."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class StoryState(Shape):
    """The phases of the current scenario, and the current phase."""

    age_seconds: float
    """Seconds since the scenario began, on the sandbox's clock."""
    phases: list[PhaseItem]
    """Its phases, in order; empty if it has none."""
    repeat: bool
    """Whether the phases begin again after the last."""
    index: int | None
    """The place of the present phase, from 0; null without phases."""
    since: str | None
    """When it began, on the sandbox's clock; null without phases."""
    requests: int
    """Requests in it so far."""


class Jump(Declared):
    """The phase to start."""

    phase: str
    """The name of the phase that begins now."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ScenarioFile(Shape):
    """A scenario as a file."""

    name: str
    """The file's name."""
    yaml: str
    """Its text."""


@resource.operation("GET", "/_mock/story", provenance=_PROVENANCE)
def get(target: ControlTarget) -> StoryState:
    """Read the phases of the current scenario, and the current phase."""
    return _state(target.must().engine)


@resource.operation("POST", "/_mock/story/jump", provenance=_PROVENANCE)
def jump(target: ControlTarget, body: Jump) -> StoryState:
    """Start a phase now. The clock does not move, and counters stay."""
    engine = target.must().engine
    names = [each.name for each in engine.scenario.phases]
    if not names:
        raise ValidationFailed(phase="the current scenario has no phases")
    if body.phase not in names:
        raise ValidationFailed(phase=f"must be one of: {one_of(names, body.phase)}")
    engine.enter_phase(body.phase)
    return _state(engine)


@resource.operation("GET", "/_mock/story/file", provenance=_PROVENANCE)
def file(target: ControlTarget) -> ScenarioFile:
    """Write the current scenario, with the injected rules, as a file that `cnx-mock scenarios check` accepts."""
    tenant = target.must()
    document = _document(tenant)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return ScenarioFile(name=f"{document['name']}.yaml", yaml=text)


def _state(engine: Engine) -> StoryState:
    scenario, (moment, since), (index, requests) = engine.scenario, engine.moment(), engine.progress()
    phases = [
        PhaseItem(name=each.name, seconds=None if each.lasts is None else each.lasts / SECOND, requests=each.requests)
        for each in scenario.phases
    ]
    return StoryState(
        age_seconds=moment.age / SECOND,
        phases=phases,
        repeat=scenario.repeat,
        index=index if phases else None,
        since=format_instant_ms(since) if phases else None,
        requests=requests,
    )


def _document(tenant: Tenant) -> dict[str, Any]:
    """Return the current scenario, with the rules that are active now, instead of the rules in its file."""
    engine = tenant.engine
    written = {name: value for name, value in engine.scenario.document.items() if value and name != "rules"}
    rules = [_plain(active.rule.document) for active in engine]
    document = {"name": engine.scenario.name, **_expecting(written, {each["id"] for each in rules})}
    if document["name"] == "none":
        document["name"] = "my-scenario"
    return document | ({"rules": rules} if rules else {})


def _expecting(written: dict[str, Any], ids: set[str]) -> dict[str, Any]:
    """Leave out the expectations about rules that no longer exist."""
    expect = written.get("expect")
    if not isinstance(expect, Mapping) or "fired" not in expect:
        return written
    fired = {name: count for name, count in expect["fired"].items() if name in ids}
    left = {name: value for name, value in expect.items() if name != "fired"} | ({"fired": fired} if fired else {})
    return {**written, "expect": left} if left else {name: each for name, each in written.items() if name != "expect"}


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
