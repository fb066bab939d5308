"""The progress of a sweep on stderr: a matrix that fills up on a terminal, a line for each run elsewhere."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cnx_mock.cli.terminal import COLUMNS, is_live, shown_line, wants_colour
from cnx_mock.sweep.explanation import reason
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.matrix import abbreviation
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.verdict import GOOD
from cnx_mock.text.plural import counted
from cnx_mock.world.clock import SECOND, ticks


class LineReporter:
    """A line for each run, for a log."""

    def __init__(self) -> None:
        self._sweep: Sweep | None = None
        self._began = 0

    def message(self, line: str) -> None:
        """Report something worth knowing."""
        sys.stderr.write(shown_line(f"cnx-mock: {line}") + "\n")

    def planned(self, sweep: Sweep) -> None:
        """Report that the cells are known."""
        self._sweep, self._began = sweep, ticks()
        more = f" ({sweep.left_out} more are left out)" if sweep.left_out else ""
        calls, runs = counted(len(sweep.calls), "call"), counted(len(sweep.cells), "run")
        if sweep.programs > 1:  # each schedule that runs may show longer ones
            if not sweep.cells:
                return
            runs = f"at least {runs}"
        longer = ", longer if CMD backs off" if sweep.options.seconds is None else ""
        self.message(f"{calls}, {runs}{more}, each at most {sweep.limit:.1f} s{longer}")

    def judged(self, result: CellResult) -> None:
        """Report that a cell is done."""
        self.message(f"{self.place()}: {result.cell.name}: {result.verdict}")

    def place(self) -> str:
        """Return how far the sweep is, and how long it will take: `12/40, 1m30s left`."""
        if self._sweep is None:
            return ""
        done, total = len(self._sweep.results), len(self._sweep.cells)
        left = (ticks() - self._began) / SECOND / max(1, done) * (total - done)
        return f"{done}/{total}" + (f", {_clock(left)} left" if done and done < total else "")


class LiveReporter(LineReporter):
    """The matrix, drawn again when a cell is done; if it does not fit on the screen, only its last lines."""

    def __init__(self) -> None:
        from cnx_mock.cli.rich_output import LiveDrawing  # lazy: rich is slow to import, and only a terminal needs it

        super().__init__()
        self._bad: CellResult | None = None
        self._colour = wants_colour(sys.stderr)
        self._drawing = LiveDrawing(sys.stderr)

    def message(self, line: str) -> None:
        """Report something worth knowing, above the matrix."""
        self._drawing.print(f"cnx-mock: {line}")

    def planned(self, sweep: Sweep) -> None:
        """Report that the cells are known."""
        super().planned(sweep)
        self._draw(sweep)

    def judged(self, result: CellResult) -> None:
        """Report that a cell is done."""
        if result.verdict not in GOOD:
            self._bad = result
        if self._sweep is not None:
            self._draw(self._sweep)

    def close(self) -> None:
        """Remove the matrix from the terminal."""
        self._drawing.close()

    def _draw(self, sweep: Sweep) -> None:
        size = shutil.get_terminal_size((COLUMNS, 24))
        lines = list(text.lines(sweep, size.columns, self._colour))
        if len(lines) + 2 >= size.lines:
            lines = []
        lines.append(f"{self.place()}  {text.totals(list(sweep.results.values()), False)}"[: size.columns - 1])
        if self._bad is not None:
            line = shown_line(f"{abbreviation(self._bad)} {self._bad.cell.title}: {reason(self._bad)}")
            lines.append(line[: size.columns - 1])
        self._drawing.draw(lines)


@contextmanager
def progress_reporter() -> Iterator[LineReporter]:
    """Give the reporter for stderr as it is; what it has drawn on a terminal is removed at the end."""
    if not is_live(sys.stderr):
        yield LineReporter()
        return
    live = LiveReporter()
    try:
        yield live
    finally:
        live.close()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
