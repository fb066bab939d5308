"""The control plane, `/_mock`: the mock's own API, declared like the cloud's. One file for each resource."""

from importlib import import_module

from cnx_mock.api.operation import Resource

_FILES = (
    *("sandboxes", "clock", "account", "instances", "snapshots", "firewalls", "load_balancers", "expectations"),
    *("readings", "rules", "scenario", "requests", "events", "state"),
)


def resources() -> list[Resource]:
    """Return the resources of the control plane. Their files are loaded by the first call of this function, because
    most servers never get a call of their control plane."""
    found: list[Resource] = [import_module(f"{__name__}.{name}").resource for name in _FILES]
    return found
