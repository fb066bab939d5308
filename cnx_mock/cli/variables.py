"""Variables of the environment that somebody meant for cnx-mock and that nothing reads."""

import re
from collections.abc import Mapping
from dataclasses import fields

from cnx_mock.settings import Settings, variable
from cnx_mock.text.suggestions import nearest

_FOR_PROGRAMS = ("CNX_MOCK_RUN", "CNX_MOCK_SCRATCH")
"""What `cnx-mock run` and `sweep` set for the programs that they run: these may run `cnx-mock` again."""
_SERVICE = re.compile(r"_(SERVICE|TCP|UDP)(_|$)")
"""In the names of the other variables by which Kubernetes describes a service."""


def misspelt(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables in `environ` that nobody reads and that are almost one of ours, with that one."""
    prefix = variable("")
    known = {variable(each.name) for each in fields(Settings)}
    found = {}
    for name in environ:
        if name.startswith(prefix) and name not in {*known, *_FOR_PROGRAMS} and not _SERVICE.search(name):
            near = nearest(name.removeprefix(prefix), [each.removeprefix(prefix) for each in known])
            if near is not None:
                found[name] = prefix + near
    return found
