"""`pytest --cnx-cell`: one cell of a sweep by its name, and whether it happened."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from cnx_mock.api.errors import InsufficientCredits
from cnx_mock.api.operation import Operation
from cnx_mock.api.operation_names import no_operation
from cnx_mock.errors import ControlError
from cnx_mock.python_api.sandbox import Sandbox
from cnx_mock.services import operations
from cnx_mock.sweep.plan import FAULTS, rule_for
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.kinds import PROVISIONED

_SHAPE = "write instances.create-1-reset-after: the operation, the number of its call, the fault"


def one_cell(name: str) -> list[dict[str, Any]]:
    """Return the rules of a cell by its name, such as `instances.create-1-reset-after`. Raises UsageError for a name
    that is not that of a cell of any sweep."""
    return [_rule(part) for part in name.split("--")]


def _rule(part: str) -> dict[str, Any]:
    found = re.fullmatch(r"([\w.]+)-([0-9]{1,9})-([\w-]+)", part)
    if found is None or int(found[2]) < 1:
        raise pytest.UsageError(f"--cnx-cell: {part!r} is not a cell: {_SHAPE}")
    by_name = {each.name: each for each in operations()}
    operation, fault = by_name.get(found[1]), next((each for each in FAULTS if each.name == found[3]), None)
    if operation is None:
        why = no_operation(found[1], by_name.values())
        raise pytest.UsageError(f"--cnx-cell: {part!r} is not a cell: {why}")
    if fault is None:
        hint = did_you_mean(found[3], [each.name for each in FAULTS])
        raise pytest.UsageError(f"--cnx-cell: {part!r} is not a cell: no fault is called {found[3]!r}{hint}")
    if not fault.applies_to(_call(operation, int(found[2]))):
        why = f"the fault {fault.name!r} cannot happen at {operation.method} {operation.path}"
        raise pytest.UsageError(f"--cnx-cell: {part!r} is not a cell: {why}")
    return rule_for(operation.name, int(found[2]), fault)


def _call(operation: Operation, ordinal: int) -> SweptCall:
    """Return a call of an operation to which every fault applies that can apply to one."""
    creates = operation.mutates and operation.method == "POST"
    return SweptCall(
        operation=operation.name,
        ordinal=ordinal,
        method=operation.method,
        path=operation.path,
        commits=operation.mutates,
        provisions=creates and operation.resource.kind in PROVISIONED,
        charges=creates and InsufficientCredits in operation.raises,
        follows=not operation.mutates,
        reused=True,
        followed=True,
        secure=True,
    )


def check_happened(cell: str, rules: list[dict[str, Any]], sandbox: Sandbox) -> None:
    """Fail the test if a fault of the cell never came: then the test has no such cell."""
    for rule in rules:
        try:
            state = sandbox.call("GET", f"/rules/{quote(rule['id'], safe='')}")
        except ControlError:
            state = {"fired": 0, "why": "the test replaced or removed its scenario"}
        if not state["fired"]:
            pytest.fail(f"--cnx-cell: {cell} did not happen in this test: {state['why']}", pytrace=False)
