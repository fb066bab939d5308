"""cnx-mock: a local sandbox of the CloudNexus cloud API that breaks on cue.

The public names are loaded when they are first asked for: pytest imports this package in every run of every project
that has installed it, and must not pay for a web server that nobody asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnx_mock.asgi import create_app
    from cnx_mock.python_api.sandbox import ControlError, Entry, Rule, Sandbox, ScenarioWarning
    from cnx_mock.python_api.server import MockServer, StartError
    from cnx_mock.scenario.scenario import Scenario
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
    "ControlError": "cnx_mock.python_api.sandbox",
    "Entry": "cnx_mock.python_api.sandbox",
    "MockServer": "cnx_mock.python_api.server",
    "Rule": "cnx_mock.python_api.sandbox",
    "Sandbox": "cnx_mock.python_api.sandbox",
    "Scenario": "cnx_mock.scenario.scenario",
    "ScenarioWarning": "cnx_mock.python_api.sandbox",
    "Settings": "cnx_mock.settings",
    "SourceError": "cnx_mock.text.findings",
    "StartError": "cnx_mock.python_api.server",
    "create_app": "cnx_mock.asgi",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnx_mock' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
