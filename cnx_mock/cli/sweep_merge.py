"""`cnx-mock sweep-merge`: the reports of a sweep's shards as one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.errors import FOUND
from cnx_mock.cli.report_file import ReportFile
from cnx_mock.cli.sweep import REPORT, scenarios_option
from cnx_mock.errors import UsageError
from cnx_mock.text.files import read_regular


@click.command("sweep-merge")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="[FILE]...",
)
@click.option(
    "--report",
    "reports",
    type=REPORT,
    multiple=True,
    metavar="FILE",
    help="Write the merged report: .html, .json, or .xml for JUnit.",
)
@scenarios_option
@click.pass_context
def sweep_merge(
    context: click.Context, /, files: Sequence[Path], reports: Sequence[ReportFile], scenarios: Path
) -> None:
    """Merge the reports of a sweep's shards.

    The result is shown as one sweep. Give all files that `cnx-mock sweep --shard I/N --report FILE.json` wrote, one for
    each shard. They must have the same program, version, seed and options. The scenario files of the shards are not
    needed: they are written again, into a folder of this machine, and the report names them there.

    The exit status is 1 for bad cells, as after a sweep; 2 for files that do not belong together.

    \b
    Examples:
      cnx-mock sweep-merge shard-1.json shard-2.json --report all.html
    """
    from cnx_mock.cli.sweep_output import show  # lazy: --help and completion need no sweep
    from cnx_mock.cli.sweep_program import FORMS, MAX_REPORT  # lazy: as above
    from cnx_mock.sweep.report.restored import merged  # lazy: as above
    from cnx_mock.sweep.reproduction import line_in, write_scenarios  # lazy: as above

    documents: list[tuple[str, Any]] = []
    for file in files:
        try:
            documents.append((str(file), json.loads(read_regular(file, MAX_REPORT))))
        except (ValueError, RecursionError):
            raise UsageError(f"{file} is not a JSON report of `cnx-mock sweep`") from None
    shards = merged(documents)
    report = replace(shards, reproduce=lambda each: line_in(scenarios, each.cell, shards.reproduce(each)))
    write_scenarios(report, scenarios)
    for each in reports:
        each.write(FORMS[each.suffix](report))
    show(report, complete=True)
    context.exit(FOUND if any(map(report.fails, report.results)) else 0)
