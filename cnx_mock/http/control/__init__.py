"""The control plane, `/_mock`: the mock's own API, declared like the cloud's. One file for each resource."""

from importlib import import_module

from cnx_mock.api.operation import Resource

FILES = {
    "sandboxes": ("", "health", "reset", "sandboxes"),
    "clock": ("clock",),
    "account": ("account",),
    "usage": ("usage",),
    "instances": ("instances",),
    "snapshots": ("snapshots",),
    "firewalls": ("firewalls",),
    "load_balancers": ("load-balancers",),
    "provisioning": ("provisioning",),
    "expectations": ("expect",),
    "readings": ("readings",),
    "rules": ("recover", "rules"),
    "scenario": ("scenario", "scenarios"),
    "story": ("story",),
    "vocabulary": ("calls", "faults", "operations"),
    "requests": ("requests",),
    "replay": ("requests",),
    "events": ("events",),
    "state": ("state",),
}
"""Each file, and the words after `/_mock/` with which the paths of its resource begin."""


def first_word(path: str) -> str:
    """Return the part of a path that comes after `/_mock/`, up to the next slash."""
    return path.removeprefix("/_mock").removeprefix("/").partition("/")[0]


def resources(word: str | None = None) -> list[Resource]:
    """Return the resources of the control plane, or the one whose paths begin with this word, if there is one.

    Their files are loaded when they are asked for: most servers never get a call of their control plane, and the first
    call should not wait for all of them."""
    names = [name for name, words in FILES.items() if word is None or word in words]
    found: list[Resource] = [import_module(f"{__name__}.{name}").resource for name in names]
    return found
