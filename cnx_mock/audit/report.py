"""Write findings as text, JSON or SARIF 2.1.0 (an OASIS standard for the results of analysis tools)."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from cnx_mock import __version__
from cnx_mock.audit.audit import Finding
from cnx_mock.audit.check import Check
from cnx_mock.audit.checks import checks

Form = Literal["text", "json", "sarif"]


def report(found: Sequence[Finding], form: Form, source: str) -> str:
    """Return the findings in a form. `source` is the URL or the file that was audited."""
    if form == "json":
        return json.dumps({"findings": [each.document() for each in found]}, indent=2, ensure_ascii=False)
    if form == "sarif":
        return json.dumps(_sarif(found, source), indent=2, ensure_ascii=False)
    return "\n".join(lines(found)) or "nothing found: the client behaves well"


def lines(found: Sequence[Finding]) -> list[str]:
    """Return the lines of the text form: each finding, and once for each code why it matters and how to fix it."""
    shown: list[str] = []
    explained: set[str] = set()
    for each in found:
        shown.append(str(each))
        if each.code not in explained:
            shown += [f"    why: {each.why}", f"    fix: {each.fix}"]
        explained.add(each.code)
    return shown


def _sarif(found: Sequence[Finding], source: str) -> dict[str, Any]:
    codes = [check.code for check in checks()]
    rules = [_sarif_rule(check) for check in checks()]
    driver = {"name": "cnx-mock audit", "semanticVersion": __version__, "rules": rules}
    results = [_sarif_result(each, codes.index(each.code), source) for each in found]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _sarif_rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.code,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": check.fix},
        "defaultConfiguration": {"level": "warning"},
    }


def _sarif_result(finding: Finding, rule_index: int, source: str) -> dict[str, Any]:
    requests = [{"fullyQualifiedName": f"request #{number}", "kind": "member"} for number in finding.requests]
    location = {"physicalLocation": {"artifactLocation": {"uri": source}}, "logicalLocations": requests}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": "warning",
        "message": {"text": finding.message},
        "locations": [location],
    }
