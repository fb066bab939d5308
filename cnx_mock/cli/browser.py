"""Opening a page in the user's browser."""

import os
import sys
import threading
from collections.abc import Callable

_GRAPHICAL = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables: one of them is set on Linux if there is a browser with a window, or if the user has chosen a browser."""


def open_in_browser(url: str, failed: Callable[[], None]) -> None:
    """Open a page in the user's browser, and do not wait for it. `failed` is called in another thread if there is no
    browser. A browser that runs in this terminal is not opened, unless BROWSER names it."""
    # a daemon: some browsers return only when they are closed
    threading.Thread(target=_open, args=(url, failed), name="cnx-mock browser", daemon=True).start()


def _open(url: str, failed: Callable[[], None]) -> None:
    import webbrowser  # lazy: hardly any command opens a browser

    has_window = sys.platform in ("darwin", "win32") or any(map(os.environ.get, _GRAPHICAL))
    try:
        opened = has_window and webbrowser.open(url)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        failed()
