"""cnx-mock: a local sandbox of the CloudNexus cloud API that breaks on cue.

The public names are loaded when they are first asked for: pytest imports this package in every run of every project
that has installed it, and must not pay for a web server that nobody asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnx_mock.asgi import create_app
    from cnx_mock.errors import (
        CnxMockError,
        ControlError,
        EgressError,
        FixtureError,
        InvalidInputError,
        NotRunningError,
        ScenarioError,
        ScenarioWarning,
        ServerNotFoundError,
        SettingsError,
        SourceError,
        StartError,
        UnknownFixture,
        UnknownScenario,
    )
    from cnx_mock.python_api.sandbox import Entry, Rule, Sandbox
    from cnx_mock.python_api.server import MockServer
    from cnx_mock.scenario.scenario import Scenario
    from cnx_mock.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "CnxMockError": "errors",
    "ControlError": "errors",
    "EgressError": "errors",
    "Entry": "python_api.sandbox",
    "FixtureError": "errors",
    "InvalidInputError": "errors",
    "MockServer": "python_api.server",
    "NotRunningError": "errors",
    "Rule": "python_api.sandbox",
    "Sandbox": "python_api.sandbox",
    "Scenario": "scenario.scenario",
    "ScenarioError": "errors",
    "ScenarioWarning": "errors",
    "ServerNotFoundError": "errors",
    "Settings": "settings",
    "SettingsError": "errors",
    "SourceError": "errors",
    "StartError": "errors",
    "UnknownFixture": "errors",
    "UnknownScenario": "errors",
    "create_app": "asgi",
}

__all__ = [
    "CnxMockError",
    "ControlError",
    "EgressError",
    "Entry",
    "FixtureError",
    "InvalidInputError",
    "MockServer",
    "NotRunningError",
    "Rule",
    "Sandbox",
    "Scenario",
    "ScenarioError",
    "ScenarioWarning",
    "ServerNotFoundError",
    "Settings",
    "SettingsError",
    "SourceError",
    "StartError",
    "UnknownFixture",
    "UnknownScenario",
    "__version__",
    "create_app",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnx_mock' has no attribute {name!r}")
    return getattr(import_module(f"cnx_mock.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
