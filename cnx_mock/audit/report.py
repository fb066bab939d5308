"""Write findings as text, JSON or SARIF 2.1.0 (an OASIS standard for the results of analysis tools)."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from cnx_mock import __version__
from cnx_mock.audit.audit import Finding
from cnx_mock.audit.checks import checks

Form = Literal["text", "json", "sarif"]


def report(found: Sequence[Finding], form: Form, where: str) -> str:
    """Return the findings in a form. `where` is the URL or the file that was audited."""
    if form == "json":
        return json.dumps({"findings": [each.document() for each in found]}, indent=2, ensure_ascii=False)
    if form == "sarif":
        return json.dumps(_sarif(found, where), indent=2, ensure_ascii=False)
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


def _sarif(found: Sequence[Finding], where: str) -> dict[str, Any]:
    codes = [check.code for check in checks()]
    rules = [
        {
            "id": check.code,
            "shortDescription": {"text": check.title},
            "fullDescription": {"text": check.why},
            "help": {"text": check.fix},
            "defaultConfiguration": {"level": "warning"},
        }
        for check in checks()
    ]
    driver = {"name": "cnx-mock audit", "semanticVersion": __version__, "rules": rules}
    results = [
        {
            "ruleId": each.code,
            "ruleIndex": codes.index(each.code),
            "level": "warning",
            "message": {"text": each.message},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": where}},
                    "logicalLocations": [
                        {"fullyQualifiedName": f"request #{number}", "kind": "member"} for number in each.requests
                    ],
                }
            ],
        }
        for each in found
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
