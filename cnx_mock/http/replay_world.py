"""The smallest world in which a request of a journal can be sent again: what it names by id, and what that needs."""

import re
from typing import Any

from cnx_mock.http.journal import JournalRecord
from cnx_mock.services.worlds import exported_resource
from cnx_mock.world import kinds
from cnx_mock.world.kinds import Kind
from cnx_mock.world.sandbox import SandboxState

_IDS = re.compile(r"\b(inst|snap|fw|lb)_[0-9a-f]{16}\b")
_KINDS = {kind.prefix: kind for kind in kinds.MADE}
_LEFT_OUT = {"number", "created_at", "updated_at", "set_at", "life"}
"""What an export says of a resource and a small world does not need."""

_FRONT = {
    "regions": ["us-east-1"],
    "forwarding_rules": [{"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}],
}


def world_for(record: JournalRecord, sandbox: SandboxState) -> dict[str, Any]:
    """Return an account of a fixture with the resources that the request names, as they are now; empty if it names
    none, or none that it found."""
    request = record.request
    text = f"{request.path}?{request.query} {request.body.decode('utf-8', 'replace')}"
    named = {found[0] for found in _IDS.finditer(text)}
    succeeded = record.status is None or record.status < 400
    return _SmallWorld(sandbox, succeeded).holding(sorted(named)) if record.status != 404 else {}


class _SmallWorld:
    """A small world, while it is put together."""

    def __init__(self, sandbox: SandboxState, succeeded: bool) -> None:
        self._sandbox = sandbox
        self._succeeded = succeeded
        self._found: dict[str, dict[str, Any]] = {}

    def holding(self, ids: list[str]) -> dict[str, Any]:
        """Return the account that holds these resources. What the request found and has been deleted is made up."""
        for each in ids:
            self._add(each)
        account: dict[str, Any] = {}
        for each, entry in self._found.items():
            account.setdefault(_kind(each).plural, []).append(entry)
        return account

    def _add(self, resource_id: str) -> None:
        if resource_id in self._found:
            return
        entry = exported_resource(self._sandbox, resource_id)
        if entry is None and self._succeeded:
            entry = self._made_up(resource_id)
        if entry is None:
            return
        kept = {name: value for name, value in entry.items() if name not in _LEFT_OUT and value not in (None, [], ())}
        if _kind(resource_id) is kinds.SNAPSHOT:
            kept = self._of_an_instance(kept)
        if str(kept.get("image", "")).startswith(kinds.SNAPSHOT.prefix + "_"):
            del kept["image"]
        self._found[resource_id] = kept
        for each in kept.get("instance_ids", ()):
            self._add(each)

    def _of_an_instance(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        """Return a snapshot whose instance is there: its own, or one that is made up."""
        if snapshot["instance"] in self._sandbox.instances:
            self._add(snapshot["instance"])
        elif "source_name" not in snapshot:
            self._found[snapshot["instance"]] = self._made_up(snapshot["instance"])
        return snapshot

    def _made_up(self, resource_id: str) -> dict[str, Any]:
        kind = _kind(resource_id)
        entry = {"id": resource_id, "name": f"{kind.words.replace(' ', '-')}-1"}
        if kind is kinds.SNAPSHOT:
            entry["instance"] = f"{kinds.INSTANCE.prefix}_{kind.id_digits(resource_id)}"
        return {**entry, **_FRONT} if kind is kinds.LOAD_BALANCER else entry


def _kind(resource_id: str) -> Kind:
    return _KINDS[resource_id.partition("_")[0]]
