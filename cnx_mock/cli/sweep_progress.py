"""How a sweep goes, on stderr: a matrix that fills up on a terminal, a line a run elsewhere."""

import os
import shutil
import sys
from contextlib import suppress
from typing import TextIO

from cnx_mock.sweep.explanation import reason
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.matrix import abbreviation
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.verdict import GOOD
from cnx_mock.world.clock import SECOND, ticks

COLUMNS = 120
"""How wide text is where there is no terminal to say so."""


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream is to be coloured (see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """How wide text may be."""
    return shutil.get_terminal_size((COLUMNS, 24)).columns


class Lines:
    """A line a run, for a log."""

    def __init__(self) -> None:
        self._sweep: Sweep | None = None
        self._began = 0

    def message(self, line: str) -> None:
        """Something worth knowing."""
        _write(f"cnx-mock: {line}\n")

    def planned(self, sweep: Sweep) -> None:
        """The cells are known."""
        self._sweep, self._began = sweep, ticks()
        more = f" ({sweep.left_out} more are left out)" if sweep.left_out else ""
        self.message(f"{len(sweep.calls)} calls, {len(sweep.cells)} runs{more}, each at most {sweep.limit:.1f} s")

    def judged(self, result: CellResult) -> None:
        """A cell is done."""
        self.message(f"{self.place()} {result.cell.name}: {result.verdict}")

    def place(self) -> str:
        """How far it is, and how long it will take: `12/40, 1m30s left`."""
        if self._sweep is None:
            return ""
        done, total = len(self._sweep.results), len(self._sweep.cells)
        left = (ticks() - self._began) / SECOND / max(1, done) * (total - done)
        return f"{done}/{total}" + (f", {_clock(left)} left" if done and done < total else "")

    def close(self) -> None:
        """Nothing more will come."""


class Live(Lines):
    """The matrix, drawn again whenever a cell is done; where it does not fit, the last line of it alone."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0
        self._bad: CellResult | None = None
        self._colour = wants_colour(sys.stderr)

    def message(self, line: str) -> None:
        """Something worth knowing, above the matrix."""
        self.close()
        super().message(line)

    def planned(self, sweep: Sweep) -> None:
        """The cells are known."""
        super().planned(sweep)
        self._draw()

    def judged(self, result: CellResult) -> None:
        """A cell is done."""
        if result.verdict not in GOOD:
            self._bad = result
        self._draw()

    def close(self) -> None:
        """Take the matrix away."""
        if self._drawn:
            _write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _draw(self) -> None:
        if self._sweep is None:
            return
        size = shutil.get_terminal_size((COLUMNS, 24))
        shown = list(text.lines(self._sweep, size.columns, self._colour))
        if len(shown) + 2 >= size.lines:
            shown = []
        last = f"{self.place()}  {text.totals(list(self._sweep.results.values()), False)}"
        shown.append(last[: size.columns - 1])
        if self._bad is not None:
            shown.append(f"{abbreviation(self._bad)} {self._bad.cell.title}: {reason(self._bad)}"[: size.columns - 1])
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        _write(up + "".join(f"{line}\x1b[K\n" for line in shown) + "\x1b[J")
        self._drawn = len(shown)


def audience() -> Lines:
    """Whoever watches stderr."""
    return Live() if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else Lines()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _write(words: str) -> None:
    """On stderr, whether anybody reads it or not."""
    with suppress(OSError):
        sys.stderr.write(words)
        sys.stderr.flush()
