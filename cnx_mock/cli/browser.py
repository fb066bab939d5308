"""Opening a page of ours in the user's browser."""

import os
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
    is_text = isinstance(browser, webbrowser.GenericBrowser) and not isinstance(browser, webbrowser.BackgroundBrowser)
    if is_text and "BROWSER" not in os.environ:
        return False
    Thread(target=browser.open, args=[url], name="cnx-mock browser", daemon=True).start()  # some wait for their end
    return True
