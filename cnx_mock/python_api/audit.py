"""The audit in Python: `cnx.audit.assert_clean()`, and what the command line says of a server."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from cnx_mock.audit.audit import Finding, findings
from cnx_mock.audit.call import calls_of
from cnx_mock.audit.journals import entries_of
from cnx_mock.audit.report import lines
from cnx_mock.python_api.control import Control

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox

_SHOWN = 10
"""Findings that a run ends with; the report names all."""


class Audit:
    """How well a sandbox's client behaved."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def findings(
        self, *, ignore: Collection[str] = (), also: Collection[str] = (), **thresholds: object
    ) -> list[Finding]:
        """What it should not have done, each with `code`, `message`, `requests`, `why` and `fix`.

        `ignore` and `also` are codes of checks, thresholds are named as on the command line, with `_` for `-`:
        `poll_interval="200ms"`. Raises ValueError for unknown ones.
        """
        entries = self._sandbox.call("GET", "/requests")["data"]
        named = {name.replace("_", "-"): value for name, value in thresholds.items()}
        return findings(calls_of(entries), named, ignore, also)

    def assert_clean(self, *, ignore: Collection[str] = (), also: Collection[str] = (), **thresholds: object) -> None:
        """Raise AssertionError with every finding, why it matters and how to fix it, if there is any. Words as for
        `findings`."""
        found = self.findings(ignore=ignore, also=also, **thresholds)
        if found:
            raise AssertionError("\n".join(lines(found)))


def audited(
    control: Control, key: str | None = None, ignore: Collection[str] = (), also: Collection[str] = ()
) -> Sequence[Finding]:
    """The findings of a running server: in the key's sandbox, or without a key in every one and before the door."""
    journals = control.call("GET", "/_mock/journals", key)["data"]
    return findings(calls_of(entries_of(journals)), {}, ignore, also)


def last_words(found: Sequence[Finding]) -> Iterator[str]:
    """The end of `cnx-mock run`: a line a finding, and one that says how to read more; none for a careful client."""
    for each in found[:_SHOWN]:
        yield f"audit: {each}"
    if found:
        more = f"{len(found) - _SHOWN} more findings; " if len(found) > _SHOWN else ""
        yield f"audit: {more}--report FILE says why it matters, and how to fix it"
