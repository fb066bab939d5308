"""The audit in Python: `cnx.audit.assert_clean()`."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from cnx_mock.python_api.control import SandboxControl, as_duration
from cnx_mock.python_api.handle import Handle

if TYPE_CHECKING:
    from cnx_mock.audit.audit import Finding


class Audit(Handle):
    """How well the client of a sandbox behaved."""

    __slots__ = ("_control",)

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

    def _shown(self) -> str:
        return "audit: findings() and assert_clean() judge the client"

    def findings(
        self, *, ignore: Collection[str] = (), also: Collection[str] = (), **thresholds: object
    ) -> "list[Finding]":
        """Return the findings about the client: what it should not have done.

        Arguments:

        - `ignore`: Codes of checks to leave out.
        - `also`: Codes of checks that run only on request.
        - `**thresholds`: The thresholds of the command line, with `_` for `-`, such as `poll_interval="200ms"`, or a
          `timedelta`.

        Returns the findings, each with `code`, `message`, `requests`, `why` and `fix`.

        Raises:

        - `AuditError` if a check or a threshold does not exist, or a threshold does not take that value.
        - `ServerNotFoundError` if the server has stopped.
        """
        from cnx_mock.audit.audit import findings  # lazy: most tests do not audit
        from cnx_mock.audit.call import calls_of  # lazy: as above

        entries = self._control.call("GET", "/requests")["data"]
        named = {name.replace("_", "-"): as_duration(value) for name, value in thresholds.items()}
        return findings(calls_of(entries), named, ignore, also)

    def assert_clean(self, *, ignore: Collection[str] = (), also: Collection[str] = (), **thresholds: object) -> None:
        """Raise AssertionError if there is a finding. The message has every finding, why it matters and how to fix it.

        The arguments and the other errors are those of `findings`.
        """
        found = self.findings(ignore=ignore, also=also, **thresholds)
        if found:
            from cnx_mock.audit.report import lines  # lazy: as above

            raise AssertionError("\n".join(lines(found)))
