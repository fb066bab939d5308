"""Opening a page of ours in the user's browser."""

import os
import shutil
import webbrowser
from threading import Thread


def open_page(url: str) -> bool:
    """Open a page in a browser, and return at once: whether there is one.

    A text browser would take the terminal: it is used only if the user names it in BROWSER.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if not _is_usable(browser):
        return False
    Thread(target=browser.open, args=[url], name="cnx-mock browser", daemon=True).start()  # some wait for their end
    return True


def _is_usable(browser: webbrowser.BaseBrowser) -> bool:
    """Return whether a browser can be started, and leaves the terminal alone. What BROWSER names need not exist."""
    if isinstance(browser, webbrowser.BackgroundBrowser):
        return True
    if isinstance(browser, webbrowser.GenericBrowser | webbrowser.Elinks):
        return "BROWSER" in os.environ and shutil.which(browser.name) is not None
    return True
