"""Events as lines for people: aligned, and coloured on a terminal."""

from datetime import UTC, datetime
from typing import Any

from cnx_mock.cli.event_stream import ReceivedEvent
from cnx_mock.cli.terminal import painted, shown_line

_SANDBOX = 16
"""Columns of a sandbox's id."""
_LABEL = 8
"""Columns of a status, or of an event's kind."""
_TARGET = 36
"""Columns of a path and query."""

_REASONS = {
    "behind": "because they were not read fast enough",
    "evicted": "because the journal no longer has them",
    "restarted": "because the server was started again",
}


class EventLines:
    """Makes the lines of one stream."""

    def __init__(self, *, sandboxes: bool, colour: bool) -> None:
        """With `sandboxes`, each line names its sandbox."""
        self._sandboxes = sandboxes
        self._colour = colour
        self._stories: dict[str, tuple[str, str]] = {}
        """The scenario and the phase that each sandbox was last said to be in."""

    def line(self, event: ReceivedEvent) -> str | None:
        """Return the line of an event; None for a fault, which is in the line of the request that it hit."""
        if event.kind == "fired":
            return None
        sandbox: str = event.data["sandbox"] or "-"
        if event.kind == "request":
            label, colour, words = self._request(event.data["request"])
        else:
            label, colour, words = event.kind, "cyan", self._words(event.kind, sandbox, event.data)
        head = f"{_time(int(event.number))}  " + (f"{sandbox:<{_SANDBOX}}  " if self._sandboxes else "")
        return head + painted(f"{label:<{_LABEL}}", colour, self._colour) + f"  {words}".rstrip()

    def _request(self, entry: dict[str, Any]) -> tuple[str, str, str]:
        """Return status, colour and words of a request, with the faults that hit it."""
        status = entry["status"]
        target = entry["path"] + (f"?{entry['query']}" if entry["query"] else "")
        words = shown_line(
            f"{entry['method']:<6} {target:<{_TARGET}} {entry['duration_ms']:>8.1f}ms  {entry['operation'] or '-'}"
        )
        faults = shown_line(" ".join(f"[{each['rule']}: {each['fault']}]" for each in entry["faults"]))
        if faults:
            words += f"  {painted(faults, 'magenta', self._colour)}"
        if entry["problem"]:
            words += shown_line(f"  ({entry['problem']})")
        return "cut" if status is None else str(status), _colour_of(status), words

    def _words(self, kind: str, sandbox: str, data: dict[str, Any]) -> str:
        match kind:
            case "phase":
                words = self._story(sandbox, data["scenario"])
            case "clock":
                state = data["clock"]
                pace = "frozen" if state["frozen"] else f"speed {state['speed']:g}"
                words = f"{state['now']}  {pace}"
            case "account":
                state = data["account"]
                words = f"{state['balance']}  {state['plan']}  {state['rate_limit']}  {len(state['scopes'])} scopes"
            case "resource":
                words = f"{data['kind']} {data['id']}  {_resource(data['resource'])}"
            case "reset":
                words = _sandbox(data["item"])
            case "lost":
                words = _loss(data)
            case _:  # a newer server's
                words = ""
        return shown_line(words)

    def _story(self, sandbox: str, scenario: dict[str, Any]) -> str:
        if scenario["error"]:
            return f"the scenario's file cannot be used: {scenario['error'].splitlines()[0]}"
        name, phase = scenario["name"], scenario["phase"]["name"] if scenario["phase"] else ""
        before, self._stories[sandbox] = self._stories.get(sandbox, ("none", "")), (name, phase)
        story = f"scenario {name}" + (f", phase {phase}" if phase else "")
        return f"{story}, rules changed" if before == (name, phase) else story


def _time(number: int) -> str:
    """Return when an event was, in the local zone: its number is about its instant in microseconds."""
    return datetime.fromtimestamp(number / 1_000_000, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _colour_of(status: int | None) -> str:
    if status is None or status >= 500:
        return "red"
    return "yellow" if status >= 400 else "green"


def _resource(resource: dict[str, Any] | None) -> str:
    if resource is None:
        return "deleted"
    return f"{resource.get('status', '')}  {resource['name']}".strip()


def _sandbox(item: dict[str, Any] | None) -> str:
    if item is None:
        return "the sandbox is gone"
    return f"the world was reset or replaced: {item['instances']} instances"


def _loss(data: dict[str, Any]) -> str:
    events = "events are missing" if data["count"] is None else f"{data['count']} events are missing"
    return f"{events}, {_REASONS.get(data['reason'], data['reason'])}"
