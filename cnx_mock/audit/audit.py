"""The audit: every check on every journal, and what came of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnx_mock.audit.call import Call
from cnx_mock.audit.checks import checks
from cnx_mock.audit.logical_calls import SHARED, Traffic
from cnx_mock.audit.threshold import Threshold
from cnx_mock.errors import AuditError
from cnx_mock.text.suggestions import did_you_mean, one_of

HAMMERING = ("early-retry", "flat-backoff", "amplification")
"""The checks that find early, flat or endless retries."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a client should not do."""

    code: str
    """The check's name: `flat-backoff`."""
    message: str
    """One line that names the requests."""
    requests: tuple[int, ...]
    """Their numbers in the journal."""
    why: str
    """Why it matters."""
    fix: str
    """What to do about it."""
    sandbox: str | None = None
    """What the sandbox is called; None for the server's own journal."""
    request_ids: tuple[str, ...] = ()
    """The requests' ids."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def document(self) -> dict[str, Any]:
        """It as JSON shows it."""
        requests = list(self.requests)
        return {
            "code": self.code,
            "message": self.message,
            "requests": requests,
            "why": self.why,
            "fix": self.fix,
        }


def thresholds() -> list[Threshold]:
    """Every threshold there is, by name."""
    own = [threshold for check in checks() for threshold in check.thresholds]
    return sorted(dict.fromkeys([*SHARED, *own]), key=lambda each: each.name)


def measures(given: Mapping[str, object]) -> dict[str, float]:
    """Every threshold's value: as given, else its default. Raises AuditError for a name or a value that is none."""
    known = {each.name: each for each in thresholds()}
    for name in given:
        if name not in known:
            raise AuditError(f"no threshold is called {name[:64]!r}{did_you_mean(name, known)}: {one_of(known)}")
    return {name: each.value(given.get(name, each.default)) for name, each in known.items()}


def findings(
    calls: Iterable[Call],
    thresholds: Mapping[str, object] | None = None,
    ignore: Collection[str] = (),
    also: Collection[str] = (),
) -> list[Finding]:
    """Everything that the checks have to say of these calls, sandbox by sandbox, in the order of the requests.

    `thresholds` are values by name, written as on the command line (`{"poll-interval": "200ms"}`); `ignore` leaves
    checks out by their codes, `also` adds those that look only when asked. Raises AuditError for unknown ones.
    """
    known = {check.code: check for check in checks()}
    for code in (*ignore, *also):
        if code not in known:
            raise AuditError(f"no check is called {str(code)[:64]!r}{did_you_mean(str(code), known)}: {one_of(known)}")
    limits = measures(thresholds or {})
    chosen = [check for code, check in known.items() if code not in ignore and (code in also or not check.on_request)]
    journals: dict[str | None, list[Call]] = {}
    for call in sorted(calls, key=lambda call: (call.began, call.seq)):
        journals.setdefault(call.sandbox, []).append(call)
    found = []
    for sandbox, own in journals.items():
        traffic = Traffic(own, limits, sandbox)
        where = "" if len(journals) == 1 else f"{_place(sandbox)}: "
        for check in chosen:
            for seen in check.look(traffic):
                found.append(
                    Finding(
                        check.code,
                        where + seen.message,
                        tuple(call.seq for call in seen.calls),
                        check.why,
                        check.fix,
                        sandbox,
                        tuple(call.request_id for call in seen.calls),
                    )
                )
    order = list(journals)
    return sorted(found, key=lambda each: (order.index(each.sandbox), each.requests, each.code))


def hammered(calls: Iterable[Call], thresholds: Mapping[str, object] | None = None) -> list[Finding]:
    """Early, flat or endless retries, and nothing else."""
    return findings(calls, thresholds, ignore=[each.code for each in checks() if each.code not in HAMMERING])


def _place(sandbox: str | None) -> str:
    return "the server" if sandbox is None else f"sandbox {sandbox}"
