"""The report of a sweep as JUnit XML, which CI systems read: one test case for each cell."""

from xml.etree import ElementTree

from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.report.characters import allowed
from cnx_mock.sweep.report.json import SweepReport
from cnx_mock.sweep.results import CellResult


def junit_report(report: SweepReport) -> bytes:
    """Return the report as UTF-8."""
    results = report.results
    failed = sum(map(report.fails, results))
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
        _case(suite, report, result)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(suite: ElementTree.Element, report: SweepReport, result: CellResult) -> None:
    first, *others = result.cell.injections
    name = "; ".join([first[1].name, *(f"{call.operation} #{call.ordinal} {fault.name}" for call, fault in others)])
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {"classname": f"{first[0].operation} #{first[0].ordinal}", "name": name, "time": f"{result.seconds:.3f}"},
    )
    if report.fails(result):
        message = allowed(f"{result.verdict}: {sentence(result)}")
        failure = ElementTree.SubElement(case, "failure", {"message": message, "type": result.verdict})
        failure.text = allowed(f"{sentence(result)}\n{report.reproduce(result)}\n\n{result.output}")
    else:
        ElementTree.SubElement(case, "system-out").text = result.verdict
