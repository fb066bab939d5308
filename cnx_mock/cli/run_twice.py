"""What `cnx-mock run` does to run a program a second time in the same world: `--crash-at`, and `--rerun`."""

import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from cnx_mock.cli.streams import settle
from cnx_mock.cli.terminal import shown_line
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import CnxMockError, UsageError
from cnx_mock.programs.passthrough import Foreground
from cnx_mock.programs.start import ProgramResult
from cnx_mock.python_api.control import Control
from cnx_mock.python_api.server import MockServer, control_of
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services import operations

_LOOKS_EVERY_SECONDS = 0.01
"""How often it is asked whether the program waits at the call where it is to be killed."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The call at which a program is killed."""

    rule: dict[str, Any]
    """A rule that does not answer the call."""
    call: str
    """The call for a person: "`POST /v1/instances` #1"."""
    title: str
    """What happens there, for a person: "killed before `POST /v1/instances` #1"."""


def read_crash_point(text: str) -> CrashPoint:
    """Return the call that `--crash-at` names: `instances.create`, `instances.create#2`, `instances.create#2:after`.
    Raises UsageError."""
    found = re.fullmatch(r"([^#:]+)(?:#([1-9][0-9]{0,8}))?(?::(before|after))?", text)
    if found is None:
        raise UsageError(f"--crash-at {text}: write OPERATION#NUMBER or OPERATION#NUMBER:after")
    name, number, moment = found[1], int(found[2] or 1), found[3] or "before"
    known = {operation.name: operation for operation in operations()}
    if name not in known:
        from cnx_mock.api.operation_names import no_operation  # lazy: only a mistake needs it

        raise UsageError(f"--crash-at {text}: {no_operation(name, known.values())}")
    if moment == "after" and not known[name].mutates:
        raise UsageError(f"--crash-at {text}: {name} changes nothing, so nothing is committed: leave out `:after`")
    from cnx_mock.sweep.plan import CRASHES, rule_for  # lazy: only --crash-at needs it

    fault = next(each for each in CRASHES if each.at == moment)
    call = f"`{known[name].method} {known[name].path}` #{number}"
    rule = {**rule_for(name, number, fault), "id": f"crash-at:{name}-{number}-{moment}"}
    return CrashPoint(rule, call, fault.title.format(call=call))


class RunTwice:
    """Runs a program a second time in the same world, if asked for: after it was killed, or after it failed."""

    def __init__(self, crash: CrashPoint | None, rerun: bool, scenario: Scenario | None) -> None:
        """`scenario` is the first of the scenarios that hold in the first run; its rules do not hold in a second one
        after a failure."""
        self._crash = crash
        self._rerun = rerun
        self._rules = [] if scenario is None else [rule.id for rule in scenario.rules]
        self.requests_before = 0
        """How many requests came before the second run; 0 if there was none."""
        self.not_reached = ""
        """The call at which the program was to be killed, and that it never made; empty if there is none."""

    def prepare(self, server: MockServer) -> None:
        """Prepare a server, before its first sandbox is made."""
        if self._crash is not None:
            _call(server, "POST", "/_mock/rules", self._crash.rule)

    def result(self, server: MockServer, foreground: Foreground, run: Callable[[], ProgramResult]) -> ProgramResult:
        """Run the program by `run`, once or twice, and return how the last run ended. Raises what `run` raises."""
        if self._crash is not None:
            with _watching(server, self._crash, foreground) as struck:
                result = run()
            if not struck.is_set():
                self.not_reached = self._crash.call
                return result
            self._begin_again(server, [self._crash.rule["id"]], f"CMD was {self._crash.title}")
            return run()
        result = run()
        if not self._rerun or result.status == 0:
            return result
        self._begin_again(server, self._rules, "CMD failed")
        return run()

    def _begin_again(self, server: MockServer, rules: Sequence[str], why: str) -> None:
        sandboxes = _call(server, "GET", "/_mock/sandboxes")["data"]
        self.requests_before = sum(each["requests"] for each in sandboxes)
        _call(server, "POST", "/_mock/recover", {"rules": list(rules)})
        settle()
        sys.stderr.write(f"cnx-mock: {shown_line(why)}; it runs again in the same world\n")
        settle()


@contextmanager
def _watching(server: MockServer, point: CrashPoint, foreground: Foreground) -> Iterator[threading.Event]:
    """Kill the foreground's program when the call has arrived. Gives an event that is set if that has happened."""
    over, struck = threading.Event(), threading.Event()

    def watch() -> None:
        control = control_of(server)
        with suppress(CnxMockError):  # the server is stopping
            while not over.wait(_LOOKS_EVERY_SECONDS):
                if any(each["fired"] for each in _rule_everywhere(control, server, point)):
                    struck.set()
                    foreground.kill()
                    break
        control.close()

    thread = threading.Thread(target=watch, name="cnx-mock crash", daemon=True)
    thread.start()
    try:
        yield struck
    finally:
        over.set()
        thread.join()


def _rule_everywhere(control: Control, server: MockServer, point: CrashPoint) -> Iterator[dict[str, Any]]:
    """Yield the rule of a crash as it is in each sandbox."""
    for sandbox in server.sandboxes():
        for rule in control.call("GET", "/_mock/rules", sandbox.api_key)["data"]:
            if rule["id"] == point.rule["id"]:
                yield rule


def _call(server: MockServer, method: str, path: str, body: Any = None) -> Any:
    control = control_of(server)
    try:
        return control.call(method, path, body=body)
    finally:
        control.close()
