"""The progress of loading a large world, on the terminal of `cnx-mock serve`: one line that is drawn again in place.

It is drawn by hand and not by rich, for the reason that access lines are: see `access_log`.
"""

import gc

from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.terminal import columns, shown
from cnx_mock.http.loading import WorldLoad
from cnx_mock.text.control_characters import visible
from cnx_mock.text.live_keys import masked_text
from cnx_mock.world.clock import SECOND, ticks

_EVERY = SECOND // 10
"""How often the line is drawn again at most, in microseconds."""

_WIDTH = 30
"""Characters of the bar itself."""


class LoadingBar:
    """Draws a line while a large world is loading, and removes it at the end."""

    def __init__(self, stream: BackgroundStream) -> None:
        self._stream = stream
        self._drawn = False
        self._next = 0

    def __call__(self, load: WorldLoad) -> None:
        """Show how far a load is."""
        if load.is_over:
            self.clear()
        elif ticks() >= self._next:
            self._next = ticks() + _EVERY
            self._drawn = True
            self._stream.write_drawing("\r" + shown(bar_line(load.label, load.share, columns())) + "\x1b[K")

    def clear(self) -> None:
        """Remove the line, so that another one can be written in its place."""
        if self._drawn:
            self._drawn = False
            self._stream.write_drawing("\r\x1b[K")


def bar_line(label: str, share: float, width: int) -> str:
    """Return the line for a share from 0 to 1, cut off at the terminal's width."""
    full, name = int(share * _WIDTH), visible(masked_text(" ".join(label.split())))
    return f"loading the world of {name} [{'#' * full}{'.' * (_WIDTH - full)}] {share:.0%}"[: width - 1]


def keep_what_is_loaded(load: WorldLoad) -> None:
    """Take what a load has made so far out of the garbage collector's sight. It stays as long as its sandbox, and full
    collections over millions of records would be pauses that other calls notice."""
    gc.freeze()
