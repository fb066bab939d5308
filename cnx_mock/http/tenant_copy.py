"""A tenant as it is at one moment, to be made again as often as wanted, on other servers too."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.http.recipe import Recipe
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.scenario import World
from cnx_mock.services.worlds import exported, read_fixture
from cnx_mock.world.chance import Chance


@dataclass(frozen=True, kw_only=True)
class TenantCopy:
    """What a tenant is at one moment: its world to the microsecond and the cent, its readings, its rules with what they
    have counted, and the place in its story. Not its journal, nor what its rate limit has counted."""

    key: str
    name: str
    given_name: str | None
    state: Mapping[str, Any]
    """Its world, as a fixture has it."""
    recipe: Recipe
    """How a world begins that is the same, without the fixture."""
    engine: Engine

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantCopy":
        """Copy a tenant. It must not change meanwhile."""
        sandbox = tenant.sandbox
        engine = Engine(Chance(0, ""), tenant.engine.scenario, lambda: 0)
        engine.resume(tenant.engine)
        scenario = replace(engine.scenario, seed=None, world=World(), provisioning=dict(sandbox.provisioning))
        recipe = Recipe(
            seed=sandbox.chance.seed,
            scenario=scenario,
            rules=tenant.engine.rules("injected"),
            default_provisioning=tenant.recipe.default_provisioning,
            readings=dict(sandbox.readings),
        )
        return cls(
            key=tenant.key,
            name=tenant.name,
            given_name=tenant.given_name,
            state=exported(sandbox),
            recipe=recipe,
            engine=engine,
        )

    @cached_property
    def _recipe(self) -> Recipe:
        return replace(self.recipe, own_fixture=read_fixture(self.state))

    def make(self, tenants: Tenants) -> Tenant:
        """Make the tenant again, among those of a server. A reset brings it back to how it is now, but its rules to
        where they began."""
        tenant = tenants.restore(self.key, self.name, self.given_name, self._recipe)
        tenant.engine.resume(self.engine)
        return tenant
