"""The audit: run every check on every journal, and return the findings."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from cnx_mock.audit.call import Call, calls_of
from cnx_mock.audit.check import Check, Hit
from cnx_mock.audit.checks import checks
from cnx_mock.audit.crowds import kindest
from cnx_mock.audit.logical_calls import SHARED, Traffic
from cnx_mock.audit.threshold import Threshold
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import AuditError
from cnx_mock.text.suggestions import did_you_mean, one_of

Entries = Iterable[Mapping[str, Any]]

HAMMERING = (
    *("early-retry", "flat-backoff", "lockstep", "amplification", "futile-retry", "empty-retry", "delete-404"),
    "no-deadline",
)
"""The codes of the checks that find bad retries (too early, too often, or without a chance of success), and calls
without a deadline."""


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
    """The sandbox's name; None for the server's own journal."""
    request_ids: tuple[str, ...] = ()
    """The requests' ids."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def document(self) -> dict[str, Any]:
        """Return the finding as plain data for JSON."""
        requests = list(self.requests)
        return {
            "code": self.code,
            "message": self.message,
            "requests": requests,
            "why": self.why,
            "fix": self.fix,
        }


def thresholds() -> list[Threshold]:
    """Return every threshold, sorted by name."""
    own = [threshold for check in checks() for threshold in check.thresholds]
    return sorted(dict.fromkeys([*SHARED, *own]), key=lambda each: each.name)


def threshold_values(given: Mapping[str, object]) -> dict[str, float]:
    """Return the value of every threshold by its name: the given one, or its default. Raises AuditError for an unknown
    name and for a value that a threshold does not take."""
    known = {each.name: each for each in thresholds()}
    for name in given:
        if name not in known:
            hint = f"{did_you_mean(name, known)} (there are {one_of(known)})"
            raise AuditError(f"no threshold is called {name[:64]!r}{hint}")
    return {name: each.value(given.get(name, each.default)) for name, each in known.items()}


def findings(
    calls: Iterable[Call],
    thresholds: Mapping[str, object] | None = None,
    ignore: Collection[str] = (),
    also: Collection[str] = (),
    fault_free: Iterable[Iterable[Call]] = (),
    failed: bool = False,
) -> list[Finding]:
    """Return what the checks find in these calls, sandbox by sandbox, in the order of the requests.

    `thresholds` are values by name, written as on the command line: `{"poll-interval": "200ms"}`. `ignore` are the
    codes of checks to leave out, `also` those of checks that run only if they are asked for. `fault_free` are the calls
    of runs of the same client without faults: they show which calls the client makes anyway, and are not judged.
    `failed` is whether the client is known to have failed. Raises AuditError for an unknown code or threshold.
    """
    chosen = _chosen(ignore, also)
    limits = threshold_values(thresholds or {})
    journals = _by_sandbox(calls)
    runs = [_by_sandbox(run) for run in fault_free]
    found = []
    for sandbox, own in journals.items():
        traffic = Traffic(own, limits, [run.get(sandbox, []) for run in runs], failed)
        traffic, left = kindest(traffic, chosen)
        prefix = "" if len(journals) == 1 else f"{_place(sandbox)}: "
        found += [_finding(check, hit, sandbox, prefix) for check in left for hit in check.run(traffic)]
    order = list(journals)
    return sorted(found, key=lambda each: (order.index(each.sandbox), each.requests, each.code))


def _chosen(ignore: Collection[str], also: Collection[str]) -> list[Check]:
    """Return the checks that run. Raises AuditError for a code that no check has."""
    for name, codes in (("ignore", ignore), ("also", also)):
        if isinstance(codes, str) or not isinstance(codes, Collection):
            raise AuditError(f"{name} must be a list of codes such as ['busy-poll'], not {codes!r}")
    known = {check.code: check for check in checks()}
    for code in (*ignore, *also):
        if code not in known:
            hint = f"{did_you_mean(str(code), known)} (there are {one_of(known)})"
            raise AuditError(f"no check is called {str(code)[:64]!r}{hint}")
    return [check for code, check in known.items() if code not in ignore and (code in also or not check.on_request)]


def _finding(check: Check, hit: Hit, sandbox: str | None, prefix: str) -> Finding:
    return Finding(
        code=check.code,
        message=prefix + hit.message,
        requests=tuple(call.seq for call in hit.calls),
        why=check.why,
        fix=check.fix,
        sandbox=sandbox,
        request_ids=tuple(call.request_id for call in hit.calls),
    )


def check_any_calls(calls: Iterable[Call], source: str) -> None:
    """Raise AuditError if none of the calls is one of the API. `source` is the URL or the file that they are from."""
    if not any(call.known for call in calls):
        raise AuditError(f"nothing to judge: {source} has no requests to the CloudNexus API")


def hammered(
    calls: Iterable[Call],
    thresholds: Mapping[str, object] | None = None,
    fault_free: Iterable[Iterable[Call]] = (),
    failed: bool = False,
) -> list[Finding]:
    """Return the findings about retries only. The arguments are those of `findings`. Raises AuditError as it does."""
    others = [each.code for each in checks() if each.code not in HAMMERING]
    return findings(calls, thresholds, ignore=others, fault_free=fault_free, failed=failed)


def hammering(entries: Entries, fault_free: Iterable[Entries] = (), failed: bool = False) -> list[str]:
    """Return one line for each finding about retries. `entries` are a journal's, as `GET /_mock/requests` answers them,
    `fault_free` those of runs without faults, and `failed` is whether this run failed. Raises KeyError, TypeError or
    ValueError for data that is not an entry."""
    return [str(each) for each in hammered(calls_of(entries), fault_free=map(calls_of, fault_free), failed=failed)]


class Hammering:
    """The same as `hammering`, for many runs of one client: the calls of the runs without faults are read only once."""

    def __init__(self) -> None:
        self._fault_free: Sequence[Entries] = ()
        self._calls: list[list[Call]] = []

    def __call__(self, entries: Entries, fault_free: Sequence[Entries] = (), failed: bool = False) -> list[str]:
        """Return one line for each finding about retries. Arguments and errors are those of `hammering`."""
        if fault_free is not self._fault_free:
            self._fault_free, self._calls = fault_free, [calls_of(run) for run in fault_free]
        return [str(each) for each in hammered(calls_of(entries), fault_free=self._calls, failed=failed)]


def _by_sandbox(calls: Iterable[Call]) -> dict[str | None, list[Call]]:
    """Return the calls of each sandbox, in order of arrival."""
    journals: dict[str | None, list[Call]] = {}
    for call in sorted(calls, key=lambda call: (call.began, call.seq)):
        journals.setdefault(call.sandbox, []).append(call)
    return journals


def _place(sandbox: str | None) -> str:
    return "the server" if sandbox is None else f"sandbox {sandbox}"
