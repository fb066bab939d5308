"""cnx-mock: a local sandbox of the CloudNexus cloud API that breaks on cue.

The public names are loaded when they are first asked for: pytest imports this package in every run of every project
that has installed it, and must not pay for a web server that nobody asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnx_mock.faces.sandbox import ControlError, Entry, Rule, Sandbox, ScenarioWarning
    from cnx_mock.faces.server import MockServer, StartError
    from cnx_mock.faces.whole import create_app
    from cnx_mock.scenario.document import Scenario
    from cnx_mock.settings import Settings
    from cnx_mock.text.findings import SourceError

__version__ = "0.1.0"

__all__ = [
    "ControlError",
    "Entry",
    "MockServer",
    "Rule",
    "Sandbox",
    "Scenario",
    "ScenarioWarning",
    "Settings",
    "SourceError",
    "StartError",
    "__version__",
    "create_app",
]

_HOMES = {
    "ControlError": "cnx_mock.faces.sandbox",
    "Entry": "cnx_mock.faces.sandbox",
    "MockServer": "cnx_mock.faces.server",
    "Rule": "cnx_mock.faces.sandbox",
    "Sandbox": "cnx_mock.faces.sandbox",
    "Scenario": "cnx_mock.scenario.document",
    "ScenarioWarning": "cnx_mock.faces.sandbox",
    "Settings": "cnx_mock.settings",
    "SourceError": "cnx_mock.text.findings",
    "StartError": "cnx_mock.faces.server",
    "create_app": "cnx_mock.faces.whole",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnx_mock' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
