"""One paragraph for each defect: cells with the same cause are shown together."""

from collections.abc import Iterable, Sequence

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.state import ResourceState
from cnx_mock.sweep.verdict import SURVIVING, VERDICTS, Verdict
from cnx_mock.text.plural import counted


@dataclass(frozen=True, slots=True)
class Cause:
    """What a client does wrong, or how it fails, and the cells in which this shows."""

    results: tuple[CellResult, ...]
    """The results of the cells, in the order of the plan."""

    @property
    def verdict(self) -> Verdict:
        """The verdict on all of the cells."""
        return self.results[0].verdict

    @property
    def clearest(self) -> CellResult:
        """The cell that shows it best: with one fault at one call, if there is one."""
        return min(self.results, key=lambda each: (len(each.cell.injections), not each.fired, each.cell.lasts))

    @property
    def sentence(self) -> str:
        """What the client does in the clearest cell."""
        return sentence(self.clearest)

    @property
    def places(self) -> str:
        """The cells: `4 cells: #1 error-after, reset-after; #2 error-after, reset-after`. Empty if there is one."""
        if len(self.results) == 1:
            return ""
        return f"{len(self.results)} cells: {'; '.join(_places(self.results))}"


def _places(results: Sequence[CellResult]) -> list[str]:
    """Return the faults at each call, and how many cells have several faults."""
    single = [each.cell for each in results if len(each.cell.injections) == 1]
    if results[0].verdict == "misread":
        return [", ".join(cell.fault.description for cell in single)]
    faults: dict[str, list[str]] = {}
    several = len({cell.call.operation for cell in single}) > 1
    for cell in single:
        place = cell.call.title if several else f"#{cell.call.ordinal}"
        faults.setdefault(place, []).append(cell.fault.name)
    pairs = len(results) - len(single)
    found = [f"{place} {', '.join(names)}" for place, names in faults.items()]
    return [*found, counted(pairs, "pair") + " of faults"] if pairs else found


def causes(results: Iterable[CellResult]) -> list[Cause]:
    """Return the causes of everything that was not survived, the worst verdict first.

    Cells have the same cause if they have the same verdict at a call of the same operation (of any one, if a deadline
    is missing), and the same difference: the resources that are left, missing or changed, the exception, or the codes
    of the audit. How many resources are left does not matter.
    """
    groups: dict[str, list[CellResult]] = {}
    for result in results:
        if result.verdict not in SURVIVING:
            groups.setdefault(cause_of(result), []).append(result)
    found = [Cause(tuple(group)) for group in groups.values()]
    return sorted(found, key=lambda cause: VERDICTS.index(cause.verdict))


def cause_of(result: CellResult) -> str:
    """Return what tells causes apart: the same text for cells with the same cause, in every report."""
    if result.cause:
        return result.cause
    operations = tuple(call.operation for call, _ in result.cell.injections)
    if result.verdict == "hammered" and _difference(result) == ["no-deadline"]:
        operations = ()  # a client without a deadline lacks it in every call
    return repr((result.verdict, operations, result.fired, _difference(result)))


def _difference(result: CellResult) -> object:
    judgement = result.judgement
    match result.verdict:
        case "stuck":
            return result.end and result.end.last
        case "duplicated" | "leaked" | "doubled":
            return _named(judgement.left)
        case "lost":
            changed = [expected for expected, _ in judgement.difference.changed]
            fields = tuple(judgement.difference.fields())
            return _named(judgement.difference.missing), _named(changed), fields
        case "misread":
            return result.cell.fault.name
        case "raised":
            return result.output.partition(":")[0]
        case "hammered":
            return sorted({line.partition(":")[0] for line in result.hammering})
        case "failed cleanly":
            return _named(judgement.kept)
        case _:
            return None


def _named(resources: Iterable[ResourceState]) -> list[tuple[str, str]]:
    """Return kinds and names, with an empty text for a name that is not compared."""
    return sorted({(each.kind, each.comparable_name) for each in resources})
