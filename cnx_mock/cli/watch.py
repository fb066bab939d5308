"""`serve --watch`: a scenario file that changes acts at once; a bad one changes nothing, and is shown."""

import asyncio
import sys

import click

from cnx_mock.cli.errors import complaint
from cnx_mock.http.app import App, load_scenarios
from cnx_mock.scenario import gallery

_DEBOUNCE_MS = 100
"""An editor may write a file in several steps; after this much quiet it is read."""


async def watch(app: App, stop: asyncio.Event) -> None:
    """Follow the scenario's files until `stop`."""
    from watchfiles import Change, awatch

    # the folders, not the files: most editors put a new file in the old one's place
    paths = {str(gallery.find(name).absolute()) for name in app.settings.scenario}
    folders = {str(gallery.find(name).absolute().parent) for name in app.settings.scenario}

    def ours(change: Change, path: str) -> bool:
        return path in paths

    async for _ in awatch(*folders, watch_filter=ours, stop_event=stop, debounce=_DEBOUNCE_MS, recursive=False):
        _reload(app)


def _reload(app: App) -> None:
    """Swap the scenario for what its files say now, or keep the last good one."""
    _, wrong = complaint(lambda: app.tenants.revise(load_scenarios(app.settings.scenario)))
    app.tenants.watch_error = wrong
    if wrong is None:
        click.echo(f"cnx-mock: scenario {app.tenants.defaults.scenario.name} reloaded", err=True)
    else:
        click.echo(f"{wrong}\ncnx-mock: the scenario stays as it was", file=sys.stderr)
