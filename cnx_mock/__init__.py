"""cnx-mock: a local sandbox of the CloudNexus cloud API that fails when you ask it to.

The public names are loaded on first use. pytest imports this package in every run of every project that has installed
it, so an import must not load a web server that the run does not need.
"""

from importlib import import_module

TYPE_CHECKING = False  # that of `typing`, which is slow to load
if TYPE_CHECKING:
    from typing import Any

    from cnx_mock.asgi import create_app
    from cnx_mock.errors import (
        AuditError,
        CertificateError,
        CnxMockError,
        ControlError,
        DocumentError,
        EgressError,
        FixtureError,
        FixtureRefusedError,
        InputRefusedError,
        InterceptionError,
        InvalidInputError,
        ListenError,
        NotRunningError,
        RaceError,
        ReadingError,
        ScenarioError,
        ScenarioRefusedError,
        ScenarioWarning,
        ServerNotFoundError,
        SettingsError,
        SourceError,
        StartError,
        StopError,
        UnknownAttribute,
        UnknownFixture,
        UnknownResource,
        UnknownScenario,
    )
    from cnx_mock.http.journal_entry import JournalEntry as Entry
    from cnx_mock.python_api.expectation import Expectation
    from cnx_mock.python_api.race.result import RaceResult
    from cnx_mock.python_api.rule_handle import RuleHandle as Rule
    from cnx_mock.python_api.sandbox import Sandbox
    from cnx_mock.python_api.server import MockServer
    from cnx_mock.scenario.scenario import Scenario
    from cnx_mock.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "AuditError": ("errors", "AuditError"),
    "CertificateError": ("errors", "CertificateError"),
    "CnxMockError": ("errors", "CnxMockError"),
    "ControlError": ("errors", "ControlError"),
    "DocumentError": ("errors", "DocumentError"),
    "EgressError": ("errors", "EgressError"),
    "Entry": ("http.journal_entry", "JournalEntry"),
    "Expectation": ("python_api.expectation", "Expectation"),
    "FixtureError": ("errors", "FixtureError"),
    "FixtureRefusedError": ("errors", "FixtureRefusedError"),
    "InputRefusedError": ("errors", "InputRefusedError"),
    "InterceptionError": ("errors", "InterceptionError"),
    "InvalidInputError": ("errors", "InvalidInputError"),
    "ListenError": ("errors", "ListenError"),
    "MockServer": ("python_api.server", "MockServer"),
    "NotRunningError": ("errors", "NotRunningError"),
    "RaceError": ("errors", "RaceError"),
    "RaceResult": ("python_api.race.result", "RaceResult"),
    "ReadingError": ("errors", "ReadingError"),
    "Rule": ("python_api.rule_handle", "RuleHandle"),
    "Sandbox": ("python_api.sandbox", "Sandbox"),
    "Scenario": ("scenario.scenario", "Scenario"),
    "ScenarioError": ("errors", "ScenarioError"),
    "ScenarioRefusedError": ("errors", "ScenarioRefusedError"),
    "ScenarioWarning": ("errors", "ScenarioWarning"),
    "ServerNotFoundError": ("errors", "ServerNotFoundError"),
    "Settings": ("settings", "Settings"),
    "SettingsError": ("errors", "SettingsError"),
    "SourceError": ("errors", "SourceError"),
    "StartError": ("errors", "StartError"),
    "StopError": ("errors", "StopError"),
    "UnknownAttribute": ("errors", "UnknownAttribute"),
    "UnknownFixture": ("errors", "UnknownFixture"),
    "UnknownResource": ("errors", "UnknownResource"),
    "UnknownScenario": ("errors", "UnknownScenario"),
    "create_app": ("asgi", "create_app"),
}
"""Where each public name is: the module inside this package, and what it is called there."""

__all__ = [
    "AuditError",
    "CertificateError",
    "CnxMockError",
    "ControlError",
    "DocumentError",
    "EgressError",
    "Entry",
    "Expectation",
    "FixtureError",
    "FixtureRefusedError",
    "InputRefusedError",
    "InterceptionError",
    "InvalidInputError",
    "ListenError",
    "MockServer",
    "NotRunningError",
    "RaceError",
    "RaceResult",
    "ReadingError",
    "Rule",
    "Sandbox",
    "Scenario",
    "ScenarioError",
    "ScenarioRefusedError",
    "ScenarioWarning",
    "ServerNotFoundError",
    "Settings",
    "SettingsError",
    "SourceError",
    "StartError",
    "StopError",
    "UnknownAttribute",
    "UnknownFixture",
    "UnknownResource",
    "UnknownScenario",
    "__version__",
    "create_app",
]


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module 'cnx_mock' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"cnx_mock.{module}"), attribute)


def __dir__() -> list[str]:
    return __all__
