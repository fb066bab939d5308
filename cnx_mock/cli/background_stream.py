"""A text stream for people that never blocks its writer: a thread writes, and a reader that is too slow misses lines.

A pipe that nobody reads, a terminal that Ctrl-S has stopped and a full disk are the same here. What is written waits in
a bounded queue. What does not fit is dropped and counted. The stream itself tells the count as soon as it takes lines
again. The thread is a daemon and writes to the raw stream, which has no lock: the process can end at any time.
It also masks live keys and escapes control characters, so that no writer can forget to.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import TextIOBase
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TextIO

from cnx_mock.cli.output_filter import OutputFilter
from cnx_mock.cli.terminal import wants_colour
from cnx_mock.text.live_keys import masked_text
from cnx_mock.text.plural import counted
from cnx_mock.world.clock import SECOND, ticks

Text = str | Callable[[], str]
"""A text, or the function that makes it. The thread calls the function, so that the writer need not wait for it."""

Sent = Callable[[Exception | None], None]
"""Called by the thread when a text is written, with None, or cannot be, with the error."""

LIMIT = 1024 * 1024
"""How many characters wait at most; a single text may be longer."""
GRACE = 2 * SECOND
"""How long the end waits for a stream that takes nothing, in microseconds."""

_EVERY_TEXT = 100
"""Characters by which a text counts more than its length: many short ones need memory too."""
_AT_ONCE = 64 * 1024
"""Characters from which nothing more is added to one write."""
_ATOMIC = 4096
"""Bytes that a pipe takes at once, or not at all (PIPE_BUF of Linux)."""


class _Piece(NamedTuple):
    """A text in the queue."""

    text: Text
    size: int
    missed: int = 0
    """How many lines before it were dropped, because the queue was full."""
    sent: Sent | None = None
    """Called when it is written, or cannot be."""
    is_drawing: bool = False
    """Whether it moves the cursor, and has nothing in it that comes from outside and is not escaped."""
    is_last: bool = False
    """Whether what waits for the rest of a key is to be written too."""


class BackgroundStream(TextIOBase):
    """Writes to `stream` from a separate thread, which starts with the first text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        buffer: Any = stream.buffer
        self._raw = getattr(buffer, "raw", buffer)
        self._filter = OutputFilter(colour=wants_colour(stream))
        self._queue: SimpleQueue[_Piece] = SimpleQueue()
        self._lock = threading.RLock()  # a collection of garbage while it is held may write a warning
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._waiting = 0
        self._refused = 0
        self._lost = 0
        self._moved = 0
        self._within_line = False
        self.dropped = 0
        """Lines that were not written."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    def flush(self) -> None:
        """Do nothing: the thread writes as soon as the stream takes it. `drain` waits."""

    def write(self, text: str, /) -> int:
        """Leave a text to the thread, or drop it if too much waits already. Raises nothing that the stream raises."""
        if not isinstance(text, str):
            raise TypeError(f"write() takes a str, not {type(text).__name__}")
        if text:
            self.put(text, len(text))
        return len(text)

    def put(self, text: Text, size: int) -> None:
        """Leave one line or more to the thread, or drop it if too much waits. `size` is about how many characters they
        have."""
        self._put(text, size + _EVERY_TEXT, None)

    def send(self, text: str, sent: Sent) -> None:
        """Give the thread a text that is never dropped, with a callback for its result."""
        self._put(text, _EVERY_TEXT, sent)

    def write_drawing(self, text: str) -> None:
        """Leave a text to the thread that moves the cursor of a terminal: its control characters are not escaped."""
        if text:
            self._put(text, len(text) + _EVERY_TEXT, None, is_drawing=True)

    def drain(self) -> None:
        """Wait until everything is written, but not for a stream that has taken nothing for two seconds."""
        with self._changed:
            if self._thread is not None:
                if not self._waiting:
                    self._moved = ticks()
                self._waiting += 1
                self._queue.put(_Piece("", 1, is_last=True))
            while self._waiting or (self._refused and self._thread is not None):
                left = self._moved + GRACE - ticks()
                if left <= 0:
                    return
                self._changed.wait(left / SECOND)

    def _put(self, text: Text, size: int, sent: Sent | None, *, is_drawing: bool = False) -> None:
        with self._lock:
            if self._waiting and self._waiting + size > LIMIT and sent is None:
                lines = _lines(text)
                self._refused += lines
                self.dropped += lines
                return
            missed, self._refused = self._refused, 0
            if not self._waiting:
                self._moved = ticks()
            self._waiting += size
            self._queue.put(_Piece(text, size, missed, sent, is_drawing))
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        """Start the thread without any signal: those that the process gets are for the main thread."""
        self._thread = threading.Thread(target=self._run, name="cnx-mock output", daemon=True)
        if sys.platform == "win32":
            self._thread.start()
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run(self) -> None:
        while True:
            pieces = self._taken()
            texts = [_made(piece.text) for piece in pieces]
            error: Exception | None = None
            try:
                self._write(self._joined(pieces, texts))
                self._lost = 0
            except Exception as failure:  # whatever the stream has: the thread goes on, and tries again
                error = failure
                self._lose(pieces, texts)
            self._complete(pieces, error)

    def _taken(self) -> list[_Piece]:
        """Wait for something to write, and return as much as one write is good for."""
        with self._lock:
            if self._refused and self._queue.empty():
                missed, self._refused = self._refused, 0
                self._waiting += _EVERY_TEXT
                return [_Piece("", _EVERY_TEXT, missed)]
        pieces = [self._queue.get()]
        size = pieces[0].size
        with suppress(Empty):
            while size < _AT_ONCE:
                pieces.append(self._queue.get_nowait())
                size += pieces[-1].size
        return pieces

    def _joined(self, pieces: list[_Piece], texts: list[str]) -> str:
        """Return what is to be written, with the counts of what is missing at their places."""
        parts = [_notice(self._lost, within_line=self._within_line)] if self._lost else []
        for piece, text in zip(pieces, texts, strict=True):
            if piece.missed:
                parts.append(_notice(piece.missed, within_line=False))
            if piece.is_drawing:
                parts += [self._filter.end(), masked_text(text)]
            else:
                parts.append(self._filter.feed(text))
            if piece.is_last:
                parts.append(self._filter.end())
        return "".join(parts)

    def _write(self, text: str) -> None:
        """Write everything, a few lines at a time: a slow reader then shows that it takes something, and a pipe takes
        them as a whole. Raises OSError."""
        data = text.replace("\n", os.linesep).encode(self.encoding, "backslashreplace")
        while data:
            written = self._raw.write(data[: data.rfind(b"\n", 0, _ATOMIC) + 1 or _ATOMIC])
            if written is None:  # another program has made the stream non-blocking
                select.select([], [self._raw], [])
                continue
            self._within_line = data[written - 1] != ord("\n")
            self._moved = ticks()
            data = data[written:]

    def _lose(self, pieces: list[_Piece], texts: list[str]) -> None:
        """Count lines that were not written, and those whose count was to be written with them."""
        lines = sum(map(_lines, filter(None, texts)))
        self._lost += lines + sum(piece.missed for piece in pieces)
        with self._lock:
            self.dropped += lines

    def _complete(self, pieces: list[_Piece], error: Exception | None) -> None:
        """Take the pieces off what waits, and tell those who wait for them."""
        with self._lock:
            self._waiting -= sum(piece.size for piece in pieces)
            self._changed.notify_all()
        for sent in (piece.sent for piece in pieces if piece.sent is not None):
            sent(error)


def _made(text: Text) -> str:
    if isinstance(text, str):
        return text
    try:
        return text()
    except Exception as error:
        return f"cnx-mock failed to write a line ({error!r}); please report this\n"


def _lines(text: Text) -> int:
    """Return how many lines are dropped with a text."""
    return max(1, text.count("\n")) if isinstance(text, str) else 1


def _notice(number: int, *, within_line: bool) -> str:
    """Return the line that says how much is missing at its place."""
    line = f"cnx-mock: {counted(number, 'line')} dropped here: this stream was full, or nobody read it\n"
    return f"\n{line}" if within_line else line
