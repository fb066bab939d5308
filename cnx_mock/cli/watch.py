"""`serve --watch`: a scenario file that changes acts at once; a bad one changes nothing, and is shown."""

import asyncio

import click

from cnx_mock.cli.errors import error_text
from cnx_mock.errors import CnxMockError
from cnx_mock.http.app import App, load_scenarios
from cnx_mock.scenario import gallery

_DEBOUNCE_MS = 100
"""An editor may write a file in several steps; it is read after so much time without a change."""


async def watch(app: App, stop: asyncio.Event) -> None:
    """Follow the scenario's files until `stop`."""
    from watchfiles import Change, awatch  # lazy: only `--watch` needs it

    # watch the folders, not the files: most editors replace the old file by a new one
    paths = {str(gallery.find(name).absolute()) for name in app.settings.scenario}
    folders = {str(gallery.find(name).absolute().parent) for name in app.settings.scenario}

    def ours(change: Change, path: str) -> bool:
        return path in paths

    async for _ in awatch(*folders, watch_filter=ours, stop_event=stop, debounce=_DEBOUNCE_MS, recursive=False):
        _reload(app)


def _reload(app: App) -> None:
    """Take the scenario from its files as they are now, or keep the last good one."""
    try:
        app.tenants.revise(load_scenarios(app.settings.scenario))
    except (CnxMockError, OSError) as error:
        app.tenants.watch_error = error_text(error)
        click.echo(f"{app.tenants.watch_error}\ncnx-mock: the scenario stays as it was", err=True)
    else:
        app.tenants.watch_error = None
        click.echo(f"cnx-mock: scenario {app.tenants.defaults.scenario.name} reloaded", err=True)
