"""The browser that pages are looked at with: Debian's chromium, driven by Playwright, which brings none.

The package chromium-headless-shell has the same browser without windows: it takes a quarter less time than chromium,
and is preferred where it is installed.
"""

import os
import shutil

import pytest
from playwright.async_api import Browser, Playwright

REPORT_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) =>
        console.error("CSP", event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber));
"""
"""A script for a page: it says in the console what the page's policy has forbidden."""

_FLAGS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--enable-precise-memory-info",
    "--js-flags=--no-opt",  # pages live for seconds here: to optimize their code takes longer than it saves
]


async def launch(playwright: Playwright) -> Browser:
    """Start the browser. Without one the test is skipped; in CI it fails."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing, and CI is set: there the page has to be looked at")
        pytest.skip("chromium is not installed (Debian: apt-get install chromium-headless-shell)")
    return await playwright.chromium.launch(executable_path=path, chromium_sandbox=False, args=_FLAGS)
