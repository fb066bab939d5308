"""The proxy that an environment names, and the hosts that need none (`NO_PROXY`)."""

import re
from collections.abc import Iterable, Mapping

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of this machine."""

EXCEPTIONS = ("NO_PROXY", "no_proxy")
"""The variables with the hosts that need no proxy: some programs know one of them only."""

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def proxy_variable(environ: Mapping[str, str]) -> str | None:
    """Return the variable that names a proxy, None if none does."""
    names = (name for each in _PROXIES for name in (each.upper(), each))
    return next((name for name in names if environ.get(name)), None)


def exceptions(environ: Mapping[str, str]) -> list[str]:
    """Return the hosts that need no proxy in this environment; `["*"]` is every host."""
    listed = ",".join(environ.get(name, "") for name in EXCEPTIONS)
    return list(dict.fromkeys(each for each in re.split(r"[,\s]+", listed) if each))


def excepted(environ: Mapping[str, str], hosts: Iterable[str] = LOOPBACK) -> dict[str, str]:
    """Return the variables with which these hosts are reached without the proxy, in addition to hosts that are already
    excepted; none if there is no proxy."""
    if proxy_variable(environ) is None:
        return {}
    there = exceptions(environ)
    listed = there if "*" in there else dict.fromkeys([*there, *hosts])
    return dict.fromkeys(EXCEPTIONS, ",".join(listed))


def changes_past_proxy(environ: Mapping[str, str], hosts: Iterable[str] = LOOPBACK) -> dict[str, str]:
    """Return the changes of this environment with which these hosts are reached without the proxy; none if there is no
    proxy, or if the hosts are already excepted."""
    there = exceptions(environ)
    if "*" in there or set(hosts) <= set(there):
        return {}
    return excepted(environ, hosts)
