"""How a sandbox is made, and made again by a reset."""

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import FixtureError, Problem, ScenarioError, SourceError, UnknownFixture
from cnx_mock.scenario.scenario import Rule, Scenario
from cnx_mock.services.worlds import Fixture, load, read_fixture
from cnx_mock.world.account import AccountPlan
from cnx_mock.world.lifecycle import ProvisioningRule

FixtureReader = Callable[[Any], Fixture]
"""Returns the fixture in plain data, as `read_fixture` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides how a sandbox begins."""

    seed: int = 0
    scenario: Scenario = Scenario()
    scenario_fixture: Fixture | None = None
    """The fixture that the scenario names, read when the scenario was accepted: see `using`."""
    rules: tuple[Rule, ...] = ()
    speed: float = 1.0
    frozen: bool = False
    default_provisioning: ProvisioningRule | None = None
    """How long resources take to provision, unless the scenario says something else; None for the reference's times."""
    start: int | None = None
    plan: AccountPlan | None = None
    balance: int | None = None
    rate_limit: int | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    own_fixture: Fixture | None = None
    """The fixture to begin with, unless the scenario names one."""
    account: int | None = None
    """The index of one of the fixture's accounts; None for a copy of the first one."""
    scopes: tuple[str, ...] | None = None

    @property
    def fixture(self) -> Fixture | None:
        """The fixture to begin with: the scenario's comes before its own."""
        return self.scenario_fixture or self.own_fixture

    @property
    def chosen(self) -> Mapping[str, str]:
        """The readings that were chosen: the scenario's come before its own."""
        return {**self.readings, **self.scenario.world.readings}

    def using(self, scenario: Scenario, read: FixtureReader = read_fixture) -> "Recipe":
        """Return the recipe with another scenario, and with the fixture that it names.

        Raises what `fixture_of` raises.
        """
        return replace(self, scenario=scenario, scenario_fixture=fixture_of(scenario, read))

    def changed(self, read: FixtureReader = read_fixture, **changes: Any) -> "Recipe":
        """Return the recipe with other values of these fields. Raises what `using` raises."""
        scenario = changes.pop("scenario", None)
        recipe = replace(self, **changes)
        return recipe if scenario is None else recipe.using(scenario, read)

    def patched(self, readings: Mapping[str, str], clock: Mapping[str, Any]) -> "Recipe":
        """Return the recipe with these readings and clock settings (start, speed, frozen). They come before those of
        its present scenario."""
        world = self.scenario.world
        left = {name: option for name, option in world.readings.items() if name not in readings}
        overruled = replace(world, readings=left, **dict.fromkeys(clock))
        scenario = replace(self.scenario, world=overruled)
        return replace(self, scenario=scenario, readings={**self.readings, **readings}, **clock)

    def for_key(self, key: str) -> "Recipe":
        """Return the recipe for the sandbox of a key: with the account that lists it, if the fixture has one."""
        return replace(self, account=None if self.fixture is None else self.fixture.account_of(key))


def fixture_of(scenario: Scenario, read: FixtureReader = read_fixture) -> Fixture | None:
    """Return the fixture that a scenario begins with, None if it names none. `read` reads one that it has in full.

    If the fixture cannot be used, raises an error that names the scenario's key: SourceError if the scenario is from a
    file, ScenarioError if not.
    """
    given = scenario.world.fixture
    try:
        if given is None:
            return None
        return load(given) if isinstance(given, str) else read(given)
    except FixtureError as error:
        problems = [replace(each, path=("world", "fixture", *each.path)) for each in error.problems]
    except (SourceError, UnknownFixture) as error:
        problems = [Problem(("world", "fixture"), "; ".join(str(error).splitlines()), sentence=True)]
    raise ScenarioError(problems) if scenario.source is None else scenario.source.error(problems)
