"""JUnit XML, as CI systems read it: one test case a cell."""

import re
from xml.etree import ElementTree

from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.report.json import Facts
from cnx_mock.sweep.results import Result

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot say."""


def junit(facts: Facts) -> bytes:
    """The report."""
    results = facts.results
    failed = sum(map(facts.fails, results))
    totals = {
        "name": "cnx-mock sweep",
        "tests": str(len(results)),
        "failures": str(failed),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
    root = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(root, "testsuite", totals | {"skipped": "0"})
    for result in results:
        _case(suite, facts, result)
    ElementTree.indent(root)
    whole: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return whole + b"\n"


def _case(suite: ElementTree.Element, facts: Facts, result: Result) -> None:
    first, *others = result.cell.strikes
    name = "; ".join([first[1].name, *(f"{call.operation} #{call.ordinal} {fault.name}" for call, fault in others)])
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {"classname": f"{first[0].operation} #{first[0].ordinal}", "name": name, "time": f"{result.seconds:.3f}"},
    )
    if facts.fails(result):
        message = _text(f"{result.verdict}: {sentence(result)}")
        failure = ElementTree.SubElement(case, "failure", {"message": message, "type": result.verdict})
        failure.text = _text(f"{sentence(result)}\n{facts.line(result)}\n\n{result.words}")
    else:
        ElementTree.SubElement(case, "system-out").text = result.verdict


def _text(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
